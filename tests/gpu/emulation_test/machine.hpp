/// What tests of the emulation share: streams, memory and kernels of a device, and the faults of a test.
#pragma once
#include "../emulation/emulation.hpp"
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cuda_runtime_api.h>
#include <nvrtc.h>
#include <string>
#include <utility>
#include <vector>

namespace emulation_test {
using Catch::Matchers::ContainsSubstring;

/// The only fault since the last question; if there are several or none, how many.
inline std::string the_fault() {
  const std::vector<std::string> all = emulation::faults();
  return all.size() == 1 ? all[0] : std::to_string(all.size()) + " faults";
}

/// Makes a device the current one for a scope.
struct On {
  int before = 0;
  explicit On(int device) {
    cudaGetDevice(&before);
    cudaSetDevice(device);
  }
  ~On() { cudaSetDevice(before); }
  On(const On&) = delete;
};

struct Stream {
  int device;
  cudaStream_t handle = nullptr;
  explicit Stream(int of_device = 0) : device(of_device) {
    const On on(device);
    REQUIRE(cudaStreamCreateWithFlags(&handle, cudaStreamNonBlocking) == cudaSuccess);
  }
  ~Stream() { cudaStreamDestroy(handle); }
  Stream(const Stream&) = delete;
  operator cudaStream_t() const { return handle; }
  void wait() const { REQUIRE(cudaStreamSynchronize(handle) == cudaSuccess); }
};

struct Event {
  cudaEvent_t handle = nullptr;
  Event() { REQUIRE(cudaEventCreateWithFlags(&handle, cudaEventDisableTiming) == cudaSuccess); }
  ~Event() { cudaEventDestroy(handle); }
  Event(const Event&) = delete;
  operator cudaEvent_t() const { return handle; }
};

/// Elements in the memory of a stream's device, freed in the order of the stream.
template <class T = float> struct Array {
  const Stream& stream;
  std::size_t size;
  T* data = nullptr;

  Array(const Stream& on, std::size_t elements) : stream(on), size(elements) {
    void* made = nullptr;
    REQUIRE(cudaMallocAsync(&made, size * sizeof(T), stream) == cudaSuccess);
    data = static_cast<T*>(made);
  }
  Array(const Stream& on, const std::vector<T>& values) : Array(on, values.size()) {
    REQUIRE(cudaMemcpyAsync(data, values.data(), size * sizeof(T), cudaMemcpyHostToDevice, stream) == cudaSuccess);
  }
  ~Array() {
    if (data) cudaFreeAsync(data, stream);
  }
  Array(const Array&) = delete;
  std::vector<T> values() const {
    std::vector<T> result(size);
    REQUIRE(cudaMemcpyAsync(result.data(), data, size * sizeof(T), cudaMemcpyDeviceToHost, stream) == cudaSuccess);
    stream.wait();
    return result;
  }
};

/// Kernels of a source, compiled and loaded.
struct Module {
  cudaLibrary_t library = nullptr;

  static std::string compiled(const std::string& source, const std::string& architecture = "sm_90") {
    nvrtcProgram program = nullptr;
    REQUIRE(nvrtcCreateProgram(&program, source.c_str(), "test.cu", 0, nullptr, nullptr) == NVRTC_SUCCESS);
    const std::string option = "--gpu-architecture=" + architecture;
    const char* options[] = {option.c_str()};
    const nvrtcResult result = nvrtcCompileProgram(program, 1, options);
    std::size_t size = 0;
    nvrtcGetProgramLogSize(program, &size);
    std::string log(size, ' '), code;
    nvrtcGetProgramLog(program, log.data());
    INFO(log);
    REQUIRE(result == NVRTC_SUCCESS);
    nvrtcGetCUBINSize(program, &size);
    code.resize(size);
    nvrtcGetCUBIN(program, code.data());
    nvrtcDestroyProgram(&program);
    return code;
  }
  explicit Module(const std::string& source) {
    REQUIRE(cudaLibraryLoadData(&library, compiled(source).data(), nullptr, nullptr, 0, nullptr, nullptr, 0) ==
            cudaSuccess);
  }
  ~Module() { cudaLibraryUnload(library); }
  Module(const Module&) = delete;

  const void* kernel(const char* name) const {
    cudaKernel_t found = nullptr;
    REQUIRE(cudaLibraryGetKernel(&found, library, name) == cudaSuccess);
    return found;
  }
  /// Arguments are pointers.
  template <class... Pointers>
  cudaError_t launch(const char* name, dim3 grid, dim3 block, const Stream& stream, Pointers... pointers) const {
    void* arguments[] = {&pointers...};
    return cudaLaunchKernel(kernel(name), grid, block, arguments, 0, stream);
  }
};

}  // namespace emulation_test
