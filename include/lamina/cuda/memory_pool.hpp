/// The pool that the memory of a GPU comes from, and how much of it is in use.
#pragma once
#include "check.hpp"
#include <algorithm>
#include <cstdint>

namespace lamina::gpu {

/// The device's default pool, from which all of lamina's memory on it is. Throws no_device.
inline cudaMemPool_t memory_pool(int device) {
  require_device(device);
  cudaMemPool_t pool = nullptr;
  check(cudaDeviceGetDefaultMemPool(&pool, device), "cudaDeviceGetDefaultMemPool");
  return pool;
}

namespace detail {
inline std::size_t read_attribute(cudaMemPool_t pool, cudaMemPoolAttr attribute) {
  std::uint64_t bytes = 0;
  check(cudaMemPoolGetAttribute(pool, attribute, &bytes), "cudaMemPoolGetAttribute");
  return std::size_t(bytes);
}
}  // namespace detail

/// Bytes in use by tensors, engines and the calls under way, of all threads; with what others in the process have from
/// the pool, without what cuDNN and NCCL allocate themselves. Freed memory counts until its stream has come there.
/// PyTorch: torch.cuda.memory_allocated(device).
inline std::size_t memory_allocated(cuda device) {
  return detail::read_attribute(memory_pool(device.index), cudaMemPoolAttrUsedMemCurrent);
}
/// The most that memory_allocated has been since the start, or the last reset_peak_memory_stats.
/// PyTorch: torch.cuda.max_memory_allocated(device).
inline std::size_t max_memory_allocated(cuda device) {
  const cudaMemPool_t pool = memory_pool(device.index);
  const std::size_t high = detail::read_attribute(pool, cudaMemPoolAttrUsedMemHigh);
  return std::max(high, detail::read_attribute(pool, cudaMemPoolAttrUsedMemCurrent));  // a reset sets the former to 0
}
/// PyTorch: torch.cuda.reset_peak_memory_stats(device).
inline void reset_peak_memory_stats(cuda device) {
  std::uint64_t none = 0;
  check(cudaMemPoolSetAttribute(memory_pool(device.index), cudaMemPoolAttrUsedMemHigh, &none),
        "cudaMemPoolSetAttribute");
}
/// Bytes that the pool has of the device: what is in use, and what was freed and is kept for later.
/// PyTorch: torch.cuda.memory_reserved(device).
inline std::size_t memory_reserved(cuda device) {
  return detail::read_attribute(memory_pool(device.index), cudaMemPoolAttrReservedMemCurrent);
}

}  // namespace lamina::gpu
