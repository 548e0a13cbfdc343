/// Device memory that is allocated and freed in the order of a stream.
#pragma once
#include "../tensor/storage.hpp"
#include "event.hpp"
#include "memory_pool.hpp"
#include <atomic>

namespace lamina::gpu {

/// A stream, and the memory allocated in it, from the pool of its device. Each block is at home in its stream: work of
/// another stream on it takes a Turn. Both are there until their context has gone and the last block is freed.
class StreamMemory final : public DeviceMemory {
  cudaStream_t stream_ = nullptr;
  std::atomic<long> users{1};

 public:
  /// The pool keeps what is freed, so that the next allocation is cheap.
  explicit StreamMemory(int device) : DeviceMemory(cuda{device}) {
    const DeviceGuard guard(device);
    std::uint64_t threshold = ~std::uint64_t(0);
    check(cudaMemPoolSetAttribute(memory_pool(device), cudaMemPoolAttrReleaseThreshold, &threshold),
          "cudaMemPoolSetAttribute");
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  }
  StreamMemory(const StreamMemory&) = delete;
  StreamMemory& operator=(const StreamMemory&) = delete;

  cudaStream_t stream() const { return stream_; }

  /// A block of this stream.
  Storage take(std::size_t bytes) {
    void* block = nullptr;
    if (bytes > 0) {
      const DeviceGuard guard(device.index);
      check(cudaMallocAsync(&block, bytes, stream_), "cudaMallocAsync", bytes);
    }
    users.fetch_add(1, std::memory_order_relaxed);
    try {
      return Storage::in(*this, static_cast<std::byte*>(block), bytes);
    } catch (...) {
      release(static_cast<std::byte*>(block), bytes);
      throw;
    }
  }
  /// One user less: a block, or the context.
  void leave() noexcept {
    if (users.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  void release(std::byte* block, std::size_t) noexcept override {
    if (block) {
      const DeviceGuard guard(device.index, std::nothrow);
      static_cast<void>(cudaFreeAsync(block, stream_));
    }
    leave();
  }

  // By the context of the calling thread: context.hpp.
  Storage allocate(std::size_t bytes) override;
  void copy_from_host(std::byte* to, const std::byte* from, std::size_t bytes) override;
  void copy_to_host(std::byte* to, const std::byte* from, std::size_t bytes) override;
  void copy_from(DeviceMemory& source, std::byte* to, const std::byte* from, std::size_t bytes) override;

  /// Eager evaluation on a device. to() says which it is, so that programs which move nothing do not compile it.
  using Evaluator = Storage(int device, const Evaluation&);
  static void evaluate_by(Evaluator& function) { evaluator.store(&function, std::memory_order_relaxed); }
  Storage evaluate(const Evaluation& evaluation) override {
    Evaluator* const function = evaluator.load(std::memory_order_relaxed);
    if (!function) throw gpu_error("eager evaluation on a GPU: the program has moved nothing there with to()");
    return function(device.index, evaluation);
  }

 private:
  static inline std::atomic<Evaluator*> evaluator{nullptr};

  ~StreamMemory() {
    const DeviceGuard guard(device.index, std::nothrow);
    static_cast<void>(cudaStreamDestroy(stream_));
  }
};

/// The time in which a stream works on memory of another: after what that one was given before, and before what it is
/// given later. It costs nothing where both are the same.
class Turn {
  const StreamMemory& home;
  const StreamMemory& user;

  static void order(const StreamMemory& first, const StreamMemory& second) {
    Event event(first.device.index);
    event.record(first.stream());
    event.hold_back(second.stream(), second.device.index);
  }

 public:
  Turn(const StreamMemory& memory, const StreamMemory& works) : home(memory), user(works) {
    if (&home != &user) order(home, user);
  }
  ~Turn() {
    if (&home == &user) return;
    try {
      order(user, home);
    } catch (const gpu_error&) {  // The device is of no use any more: the next synchronisation says so.
    }
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
};

}  // namespace lamina::gpu
