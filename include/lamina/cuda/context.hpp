/// What a thread has of a device: a stream, a handle of cuDNN, and memory to work with.
#pragma once
#include "../core/owned.hpp"
#include "staging.hpp"
#include "stream_memory.hpp"
#include <cudnn.h>
#include <optional>
#include <vector>

namespace lamina::gpu {

namespace detail {
[[noreturn, gnu::cold, gnu::noinline]] inline void fail(cudnnStatus_t status, const char* call, int device) {
  char last[512]{};
  cudnnGetLastErrorString(last, sizeof last);
  throw cudnn_error(
      std::string(
          (Text{} << call << " on " << cuda{device} << ": " << cudnnGetErrorString(status) << ": " << last).view()),
      int(status));
}
}  // namespace detail

/// The context of one thread on one device. All work of the thread on the device goes to one stream, which never waits
/// for CUDA's NULL stream. What the thread enqueues runs in order; another thread that wants the outcome waits for it,
/// or takes a Turn. Made at the first need, released at the end of the thread.
class Context {
  int device_;
  StreamMemory* memory_;
  cudnnHandle_t cudnn_ = nullptr;
  std::optional<Staging> staging_{};
  std::string fault_{};  ///< why this context is dead

 public:
  /// The context of this thread on that device. Throws no_device.
  static Context& of(int device) {
    static thread_local std::vector<lamina::detail::Owned<Context>> contexts;
    const std::size_t number = std::size_t(device);
    if (device < 0 || number >= contexts.size() || !contexts[number]) {
      require_device(device);
      if (number >= contexts.size()) contexts.resize(number + 1);
      contexts[number] = lamina::detail::Owned<Context>(new Context(device));
    }
    return *contexts[number];
  }

  explicit Context(int device) : device_(device), memory_(new StreamMemory(device)) {}
  ~Context() {
    const DeviceGuard guard(device_, std::nothrow);
    static_cast<void>(cudaStreamSynchronize(memory_->stream()));
    if (cudnn_) static_cast<void>(cudnnDestroy(cudnn_));
    staging_.reset();
    memory_->leave();
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  int device() const { return device_; }
  /// The stream; also what all else here is refused with once an asynchronous error was found: gpu_error.
  cudaStream_t stream() const {
    if (!fault_.empty()) refuse();
    return memory_->stream();
  }
  /// The stream and its memory: what a Turn is between.
  StreamMemory& memory() const { return *memory_; }

  /// cuDNN's handle, on the stream.
  cudnnHandle_t cudnn() {
    const cudaStream_t on = stream();
    if (cudnn_) return cudnn_;
    const DeviceGuard guard(device_);
    cudnnHandle_t handle = nullptr;
    if (const auto status = cudnnCreate(&handle); status != CUDNN_STATUS_SUCCESS)
      detail::fail(status, "cudnnCreate", device_);
    cudnn_ = handle;
    if (const auto status = cudnnSetStream(handle, on); status != CUDNN_STATUS_SUCCESS)
      detail::fail(status, "cudnnSetStream", device_);
    return cudnn_;
  }

  /// A block of device memory whose bytes are written before they are read. It is freed in the order of the stream,
  /// which may run on meanwhile.
  Storage allocate(std::size_t bytes) {
    static_cast<void>(stream());
    return memory_->take(bytes);
  }
  /// Copies between the host and memory of this stream, or of another on which this one has its turn. Those to the
  /// device follow on what the stream was given; those to the host are done on return.
  void to_device(std::byte* to, const std::byte* from, std::size_t bytes) {
    const DeviceGuard guard(device_);
    staging().to_device(to, from, bytes, stream(), Finish{*this});
  }
  void to_host(std::byte* to, const std::byte* from, std::size_t bytes) {
    const DeviceGuard guard(device_);
    staging().to_host(to, from, bytes, stream(), Finish{*this});
  }

  /// Waits until all work of the stream is done. Errors of that work appear here, as cuda_error; the context is dead
  /// then.
  void synchronize() { finish(cudaStreamSynchronize(stream()), "cudaStreamSynchronize"); }

 private:
  /// Takes the outcome of a call that waited for work.
  void finish(cudaError_t code, const char* call) try { check(code, call); } catch (const gpu_error& e) {
    fault_ = e.what();
    throw;
  }
  struct Finish {
    Context& context;
    void operator()(cudaError_t code, const char* call) const { context.finish(code, call); }
  };
  Staging& staging() {
    if (!staging_) staging_.emplace(device_);
    return *staging_;
  }
  [[noreturn, gnu::cold, gnu::noinline]] void refuse() const {
    std::string text(
        (Text{} << "this thread's context on " << cuda{device_} << " is of no use any more since: ").view());
    throw gpu_error(text += fault_);
  }
};

inline Storage StreamMemory::allocate(std::size_t bytes) { return Context::of(device.index).allocate(bytes); }

inline void StreamMemory::copy_from_host(std::byte* to, const std::byte* from, std::size_t bytes) {
  Context& context = Context::of(device.index);
  const Turn turn(*this, context.memory());
  context.to_device(to, from, bytes);
}
inline void StreamMemory::copy_to_host(std::byte* to, const std::byte* from, std::size_t bytes) {
  Context& context = Context::of(device.index);
  const Turn turn(*this, context.memory());
  context.to_host(to, from, bytes);
}
inline void StreamMemory::copy_from(DeviceMemory& source, std::byte* to, const std::byte* from, std::size_t bytes) {
  Context& context = Context::of(device.index);
  const Turn turn(*this, context.memory()), source_turn(static_cast<StreamMemory&>(source), context.memory());
  const DeviceGuard guard(device.index);
  if (source.device == device)
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, context.stream()), "cudaMemcpyAsync", bytes);
  else
    check(cudaMemcpyPeerAsync(to, device.index, from, source.device.index, bytes, context.stream()),
          "cudaMemcpyPeerAsync", bytes);
}

}  // namespace lamina::gpu
