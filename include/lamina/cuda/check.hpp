/// Calls of the CUDA runtime: what a failed one throws, which devices there are, and which one is current.
#pragma once
#include "../core/text.hpp"
#include "error.hpp"
#include <cuda_runtime_api.h>
#include <string>

namespace lamina::gpu {

namespace detail {
/// No driver, the stub of one, a driver without a GPU, or no GPU of that number.
constexpr bool means_no_device(cudaError_t code) {
  return code == cudaErrorInsufficientDriver || code == cudaErrorStubLibrary || code == cudaErrorNoDevice ||
         code == cudaErrorInvalidDevice;
}

[[noreturn, gnu::cold, gnu::noinline]] inline void fail(cudaError_t code, const char* call, std::size_t bytes) {
  int device = -1;
  static_cast<void>(cudaGetDevice(&device));
  static_cast<void>(cudaGetLastError());  // what is thrown is not left for somebody else to find
  Text text;
  text << call;
  if (bytes > 0) text << " of " << idx(bytes) << " bytes";
  if (device >= 0) text << " on " << cuda{device};
  text << ": " << cudaGetErrorName(code) << " (" << int(code) << "): " << cudaGetErrorString(code);
  const std::string message(text.view());
  if (means_no_device(code)) throw no_device(message);
  if (code == cudaErrorMemoryAllocation) throw out_of_memory(message, int(code), device, bytes);
  throw cuda_error(message, int(code), device);
}
}  // namespace detail

/// Throws no_device, out_of_memory or cuda_error if a call of the CUDA runtime failed: the call, the current device,
/// and CUDA's name, number and text of the error. `bytes` is what an allocation asked for.
inline void check(cudaError_t code, const char* call, std::size_t bytes = 0) {
  if (code != cudaSuccess) detail::fail(code, call, bytes);
}

/// The number of GPUs, 0 also where there is no driver. PyTorch: torch.cuda.device_count().
inline int device_count() {
  int count = 0;  // not written if the call fails
  const cudaError_t code = cudaGetDeviceCount(&count);
  if (!detail::means_no_device(code)) check(code, "cudaGetDeviceCount");
  else static_cast<void>(cudaGetLastError());
  return count;
}

/// Throws no_device, with the reason, unless there is a GPU of that number.
inline void require_device(int device) {
  int count = 0;
  check(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
  if (device < 0 || device >= count)
    throw no_device(
        std::string((Text{} << "there is no " << cuda{device} << ": the number of GPUs is " << count).view()));
}

/// Makes a device the current one of this thread until the end of its scope.
class DeviceGuard {
  int previous = -1;

 public:
  explicit DeviceGuard(int device) { check(enter(device), "cudaSetDevice"); }
  /// For destructors: if it fails, so do the calls that follow.
  DeviceGuard(int device, std::nothrow_t) noexcept { static_cast<void>(enter(device)); }
  ~DeviceGuard() {
    if (previous >= 0) static_cast<void>(cudaSetDevice(previous));
  }
  DeviceGuard(const DeviceGuard&) = delete;
  DeviceGuard& operator=(const DeviceGuard&) = delete;

 private:
  cudaError_t enter(int device) noexcept {
    int current = -1;
    if (const cudaError_t code = cudaGetDevice(&current); code != cudaSuccess) return code;
    if (current == device) return cudaSuccess;
    const cudaError_t code = cudaSetDevice(device);
    if (code == cudaSuccess) previous = current;
    return code;
  }
};

/// For destructors: waits until a device has done all its work, whether or not that failed.
inline void finish_work(int device) noexcept {
  const DeviceGuard guard(device, std::nothrow);
  static_cast<void>(cudaDeviceSynchronize());
}

}  // namespace lamina::gpu
