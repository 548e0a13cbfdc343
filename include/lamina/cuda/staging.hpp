/// Copies between the host and a device by way of pinned memory.
#pragma once
#include "event.hpp"
#include <cstring>

namespace lamina::gpu {

/// Two halves of pinned memory: while the device copies one, the host fills or empties the other. A transfer of any
/// size goes through in pieces.
class Staging {
  static constexpr std::size_t half_bytes = std::size_t(4) << 20;

  struct Half {
    std::byte* memory;
    Event copied;
    bool used = false;
  };
  void* pinned = nullptr;
  Half halves[2];
  unsigned next = 0;

 public:
  /// Of the current device.
  explicit Staging(int device) : halves{{nullptr, Event(device), false}, {nullptr, Event(device), false}} {
    check(cudaMallocHost(&pinned, 2 * half_bytes), "cudaMallocHost", 2 * half_bytes);
    for (std::size_t i = 0; i < 2; ++i) halves[i].memory = static_cast<std::byte*>(pinned) + i * half_bytes;
  }
  /// No copy may be under way.
  ~Staging() { static_cast<void>(cudaFreeHost(pinned)); }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  /// Gives the stream the copies; `from` is read when this returns. `finish` gets the outcome of waiting.
  template <class Finish>
  void to_device(std::byte* to, const std::byte* from, std::size_t bytes, cudaStream_t stream, const Finish& finish) {
    for (std::size_t at = 0; at < bytes; at += half_bytes) {
      const std::size_t size = piece(at, bytes);
      Half& half = free_half(finish);
      std::memcpy(half.memory, from + at, size);
      check(cudaMemcpyAsync(to + at, half.memory, size, cudaMemcpyHostToDevice, stream), "cudaMemcpyAsync", size);
      note_use(half, stream);
    }
  }
  /// `to` is written when this returns.
  template <class Finish>
  void to_host(std::byte* to, const std::byte* from, std::size_t bytes, cudaStream_t stream, const Finish& finish) {
    const auto empty = [&](std::size_t at, const Half& half) {
      finish(half.copied.wait(), "cudaEventSynchronize");
      std::memcpy(to + at, half.memory, piece(at, bytes));
    };
    const Half* under_way = nullptr;
    for (std::size_t at = 0; at < bytes; at += half_bytes) {
      const std::size_t size = piece(at, bytes);
      Half& half = free_half(finish);
      check(cudaMemcpyAsync(half.memory, from + at, size, cudaMemcpyDeviceToHost, stream), "cudaMemcpyAsync", size);
      note_use(half, stream);
      if (under_way) empty(at - half_bytes, *under_way);
      under_way = &half;
    }
    if (under_way) empty((bytes - 1) / half_bytes * half_bytes, *under_way);
  }

 private:
  /// The half whose turn it is, when its last copy is done.
  template <class Finish> Half& free_half(const Finish& finish) {
    Half& half = halves[next++ % 2];
    if (half.used) finish(half.copied.wait(), "cudaEventSynchronize");
    return half;
  }
  static void note_use(Half& half, cudaStream_t stream) {
    half.copied.record(stream);
    half.used = true;
  }
  static std::size_t piece(std::size_t at, std::size_t bytes) {
    return bytes - at < half_bytes ? bytes - at : half_bytes;
  }
};

}  // namespace lamina::gpu
