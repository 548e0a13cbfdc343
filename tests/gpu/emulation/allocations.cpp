/// cudart: blocks of device memory, in the order of streams; pools; pinned memory.
#include "state.hpp"
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace emulation {
namespace {

constexpr std::size_t page = 4096;  // pinned memory has pages of its own

cudaError_t allocate_in_order(void** result, std::size_t bytes, int device, cudaStream_t stream) {
  if (!stream_of(stream)) return cudaErrorInvalidResourceHandle;
  if (stream_of(stream)->capture) {
    stream_of(stream)->capture->invalid = true;
    return misuse(cudaErrorStreamCaptureUnsupported, "an allocation in a capture");
  }
  if (const cudaError_t error = allocate(result, bytes, device); error != cudaSuccess || bytes == 0) return error;
  const void* at = *result;
  return enqueue(stream,
                 {"allocation", {{at, bytes, true}}, [at, bytes] { std::memset(alias_of(at), poison, bytes); }});
}

/// The block that begins at this address and is not freed, or nullptr after a fault.
Block* freeable(void* address) {
  Block* block = block_of(address);
  if (!block) fault(device_of(address) < 0 ? "not memory of a device" : "no block begins here; freed twice?");
  else if (block->at != address) fault("not the beginning of a block");
  else if (block->freed) fault("freed twice");
  else return block;
  return nullptr;
}

// A pool is the number of its device, plus one.
cudaMemPool_t pool_of_device(int device) { return reinterpret_cast<cudaMemPool_t>(std::uintptr_t(device) + 1); }
int device_of_pool(cudaMemPool_t pool) { return int(reinterpret_cast<std::uintptr_t>(pool)) - 1; }

}  // namespace
}  // namespace emulation

using namespace emulation;

extern "C" {

cudaError_t cudaMallocAsync(void** result, std::size_t bytes, cudaStream_t stream) {
  return runtime_call("cudaMallocAsync", [&] {
    const auto on = stream_of(stream);
    return on ? allocate_in_order(result, bytes, on->device, stream) : cudaErrorInvalidResourceHandle;
  });
}

cudaError_t cudaMallocFromPoolAsync(void** result, std::size_t bytes, cudaMemPool_t pool, cudaStream_t stream) {
  return runtime_call("cudaMallocFromPoolAsync",
                      [&] { return allocate_in_order(result, bytes, device_of_pool(pool), stream); });
}

cudaError_t cudaFreeAsync(void* address, cudaStream_t stream) {
  return runtime_call("cudaFreeAsync", [&] {
    if (!address) return misuse(cudaErrorInvalidValue, "a null pointer");
    Block* block = freeable(address);
    if (!block) return cudaErrorInvalidValue;
    const auto on = stream_of(stream);
    if (!on) return cudaErrorInvalidResourceHandle;
    if (on->capture) {
      on->capture->invalid = true;
      return misuse(cudaErrorStreamCaptureUnsupported, "a free in a capture");
    }
    const cudaError_t error = enqueue(stream, {"free", {{address, block->size, true}}, [address] {
                                                 if (Block* old = block_of(address)) release(*old);
                                               }});
    block->freed = true;
    device_at(block->device).used -= block->size;
    return error;
  });
}

cudaError_t cudaMalloc(void** result, std::size_t bytes) {
  return runtime_call("cudaMalloc", [&] {
    if (capture_forbids()) return misuse(cudaErrorStreamCaptureUnsupported, "not in a capture");
    return allocate(result, bytes, current_device());
  });
}

cudaError_t cudaFree(void* address) {
  return runtime_call("cudaFree", [&] {
    if (capture_forbids()) return misuse(cudaErrorStreamCaptureUnsupported, "not in a capture");
    if (!address) return cudaSuccess;
    run_everything();
    Block* block = freeable(address);
    if (!block) return cudaErrorInvalidValue;
    device_at(block->device).used -= block->size;
    release(*block);
    return cudaSuccess;
  });
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  return runtime_call("cudaMemGetInfo", [&] {
    const Device& device = device_at(current_device());
    *total = device.limit;
    *free = device.limit - std::min(device.limit, device.used);
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int device) {
  return runtime_call("cudaDeviceGetDefaultMemPool", [&] {
    if (!is_device(device)) return cudaErrorInvalidDevice;
    *pool = pool_of_device(device);
    return cudaSuccess;
  });
}
cudaError_t cudaDeviceGetMemPool(cudaMemPool_t* pool, int device) { return cudaDeviceGetDefaultMemPool(pool, device); }

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
  return runtime_call("cudaMemPoolSetAttribute", [&] {
    if (!pool || !value) return misuse(cudaErrorInvalidValue, "a null pointer");
    if (attribute == cudaMemPoolAttrReservedMemCurrent || attribute == cudaMemPoolAttrUsedMemCurrent)
      return misuse(cudaErrorInvalidValue, "an attribute that cannot be set");
    if (attribute == cudaMemPoolAttrUsedMemHigh) {
      if (*static_cast<std::uint64_t*>(value) != 0) return misuse(cudaErrorInvalidValue, "a peak can only be set to 0");
      device_at(device_of_pool(pool)).peak = 0;
    }
    return cudaSuccess;
  });
}

cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
  return runtime_call("cudaMemPoolGetAttribute", [&] {
    if (!pool || !value) return misuse(cudaErrorInvalidValue, "a null pointer");
    const Device& device = device_at(device_of_pool(pool));
    if (attribute == cudaMemPoolAttrUsedMemCurrent || attribute == cudaMemPoolAttrReservedMemCurrent)
      *static_cast<std::uint64_t*>(value) = device.used;
    else if (attribute == cudaMemPoolAttrUsedMemHigh) *static_cast<std::uint64_t*>(value) = device.peak;
    else return misuse(cudaErrorNotSupported, "this attribute is not emulated");
    return cudaSuccess;
  });
}

cudaError_t cudaMemPoolSetAccess(cudaMemPool_t pool, const cudaMemAccessDesc* peers, std::size_t count) {
  return runtime_call("cudaMemPoolSetAccess", [&] {
    if (!pool || (!peers && count > 0)) return misuse(cudaErrorInvalidValue, "a null pointer");
    for (std::size_t i = 0; i < count; ++i)
      if (peers[i].location.type != cudaMemLocationTypeDevice || !is_device(peers[i].location.id))
        return misuse(cudaErrorInvalidDevice, "access for what is no device");
    return cudaSuccess;
  });
}

cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool, std::size_t) {
  return runtime_call("cudaMemPoolTrimTo",
                      [&] { return pool ? cudaSuccess : misuse(cudaErrorInvalidValue, "a null pool"); });
}

cudaError_t cudaHostAlloc(void** result, std::size_t bytes, unsigned) {
  return runtime_call("cudaHostAlloc", [&] {
    if (capture_forbids()) return misuse(cudaErrorStreamCaptureUnsupported, "not in a capture");
    char* made = static_cast<char*>(std::aligned_alloc(page, (bytes + page) / page * page));
    if (!made) return cudaErrorMemoryAllocation;
    std::memset(made, poison, bytes);
    state().pinned[made] = bytes;
    *result = made;
    return cudaSuccess;
  });
}
cudaError_t cudaMallocHost(void** result, std::size_t bytes) { return cudaHostAlloc(result, bytes, 0); }

cudaError_t cudaFreeHost(void* address) {
  return runtime_call("cudaFreeHost", [&] {
    if (!address) return cudaSuccess;
    if (capture_forbids()) return misuse(cudaErrorStreamCaptureUnsupported, "not in a capture");
    run_everything();
    if (state().pinned.erase(static_cast<char*>(address)) == 0)
      return misuse(cudaErrorInvalidValue, "not the beginning of pinned memory; freed twice?");
    std::free(address);
    return cudaSuccess;
  });
}

}  // extern "C"
