/// Memory that is not the host's, as storages see it: who frees it, and who copies.
#pragma once
#include "../core/device.hpp"
#include <cstddef>

namespace lamina {

class Storage;
struct Evaluation;

/// Memory of a device. The runtime of the device implements it, so that tensors, models and weight files need not know
/// that runtime. An object lives as long as any of its blocks. What work on a block follows on earlier work, on any
/// thread; where it says so, a call returns when it is done. All but `release` throw errors of the runtime.
struct DeviceMemory {
  const Device device;

  /// A new block on this device, whose bytes are written before they are read.
  virtual Storage allocate(std::size_t bytes) = 0;
  /// Frees a block.
  virtual void release(std::byte* block, std::size_t bytes) noexcept = 0;
  /// Writes to a block of this memory; `from` may change when it returns.
  virtual void copy_from_host(std::byte* to, const std::byte* from, std::size_t bytes) = 0;
  /// Reads from a block of this memory; the bytes are there when it returns.
  virtual void copy_to_host(std::byte* to, const std::byte* from, std::size_t bytes) = 0;
  /// Writes to a block of this memory what lies in one of `source`, which is memory of the same runtime.
  virtual void copy_from(DeviceMemory& source, std::byte* to, const std::byte* from, std::size_t bytes) = 0;
  /// Eager evaluation on blocks of this device (eager/evaluation.hpp): the result, in a new block.
  virtual Storage evaluate(const Evaluation& evaluation) = 0;

 protected:
  explicit DeviceMemory(Device d) : device(d) {}
  ~DeviceMemory() = default;
};

}  // namespace lamina
