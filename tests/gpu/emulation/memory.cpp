/// cudart: memory of devices, pinned memory, copies.
///
/// The memory of a device is one file that is mapped twice. Programs see addresses of the first mapping, which may
/// never be touched: a host that reads device memory traps. Work uses the second. Blocks end at the end of a page, the
/// page behind them stays closed, and an address is never used again. New memory is full of 0xFF, NaN in every
/// floating-point type.
#include "state.hpp"
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace emulation {
namespace {

constexpr std::size_t arena_bytes = std::size_t(1) << 38, page = 4096, alignment = 256;
constexpr int poison = 0xFF;

std::size_t round_up(std::size_t value, std::size_t step) { return (value + step - 1) / step * step; }

Device& device_at(int device) {
  Device& made = state().devices[std::size_t(device)];
  if (made.view) return made;
  made.file = memfd_create("device memory", MFD_CLOEXEC);
  if (made.file < 0 || ftruncate(made.file, off_t(arena_bytes)) != 0) std::abort();
  const auto map = [&] {
    void* mapped = mmap(nullptr, arena_bytes, PROT_NONE, MAP_SHARED | MAP_NORESERVE, made.file, 0);
    if (mapped == MAP_FAILED) std::abort();
    return static_cast<char*>(mapped);
  };
  made.view = map();
  made.alias = map();
  made.top = page;
  if (made.limit == 0) made.limit = std::size_t(number_in(device_json(device), "totalGlobalMem"));
  return made;
}

char* to_alias(const Device& device, const char* address) { return device.alias + (address - device.view); }

void close_pages(Device& device, const Block& block) {
  mprotect(to_alias(device, block.pages), block.page_bytes, PROT_NONE);
  fallocate(device.file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, block.pages - device.view,
            off_t(block.page_bytes));
}

/// A new block, of which nothing was ever touched.
cudaError_t allocate(void** result, std::size_t bytes, int device_number) {
  Device& device = device_at(device_number);
  *result = nullptr;
  if (bytes == 0) return cudaSuccess;
  const std::size_t page_bytes = round_up(bytes, page);
  if (bytes > device.limit - std::min(device.limit, device.used)) return cudaErrorMemoryAllocation;
  if (device.top + page_bytes + page > arena_bytes) {
    fault("the address space of device " + std::to_string(device_number) + " is used up");
    return cudaErrorMemoryAllocation;
  }
  char* pages = device.view + device.top;
  char* at = pages + (page_bytes - bytes) / alignment * alignment;
  device.top += page_bytes + page;
  mprotect(to_alias(device, pages), page_bytes, PROT_READ | PROT_WRITE);
  std::memset(to_alias(device, pages), poison, page_bytes);
  device.blocks[at] = Block{device_number, at, bytes, pages, page_bytes, false, {}};
  device.used += bytes;
  *result = at;
  return cudaSuccess;
}

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

void release(Block& block) {
  Device& device = device_at(block.device);
  check_margins(block.at);
  close_pages(device, block);
  device.blocks.erase(block.at);
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

bool is_pinned(const void* address, std::size_t bytes) {
  auto it = state().pinned.upper_bound(static_cast<char*>(const_cast<void*>(address)));
  if (it == state().pinned.begin()) return false;
  --it;
  return static_cast<const char*>(address) + bytes <= it->first + it->second;
}

cudaError_t copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  if (bytes == 0) return cudaSuccess;
  if (!to || !from) return misuse(cudaErrorInvalidValue, "a null pointer");
  const bool to_device = device_of(to) >= 0, from_device = device_of(from) >= 0;
  const bool fits = kind == cudaMemcpyDefault || (kind == cudaMemcpyHostToDevice && to_device && !from_device) ||
                    (kind == cudaMemcpyDeviceToHost && !to_device && from_device) ||
                    (kind == cudaMemcpyDeviceToDevice && to_device && from_device) ||
                    (kind == cudaMemcpyHostToHost && !to_device && !from_device);
  if (!fits) return misuse(cudaErrorInvalidMemcpyDirection, "the pointers are not of the memories that the kind says");
  std::vector<Access> accesses;
  if (to_device) accesses.push_back({to, bytes, true});
  if (from_device) accesses.push_back({from, bytes, false});
  const auto on = stream_of(stream);
  if (!on) return cudaErrorInvalidResourceHandle;
  // The device reads pageable memory when the call is made, pinned memory when the stream comes to it.
  if (!from_device && !on->capture && !is_pinned(from, bytes)) {
    auto staged = std::make_shared<std::string>(static_cast<const char*>(from), bytes);
    return enqueue(stream, {"copy", std::move(accesses), [=] { std::memcpy(alias_of(to), staged->data(), bytes); }});
  }
  const cudaError_t error =
      enqueue(stream, {"copy", std::move(accesses), [=] { std::memmove(alias_of(to), alias_of(from), bytes); }});
  if (error == cudaSuccess && !to_device && !on->capture) std::memset(to, poison, bytes);
  return error;
}

}  // namespace

int device_of(const void* address) {
  const char* at = static_cast<const char*>(address);
  for (std::size_t device = 0; device < state().devices.size(); ++device) {
    const char* view = state().devices[device].view;
    if (view && at >= view && at < view + arena_bytes) return int(device);
  }
  return -1;
}

Block* block_of(const void* address) {
  const int number = device_of(address);
  if (number < 0) return nullptr;
  auto& blocks = state().devices[std::size_t(number)].blocks;
  auto it = blocks.upper_bound(static_cast<char*>(const_cast<void*>(address)));
  if (it == blocks.begin()) return nullptr;
  --it;
  return static_cast<const char*>(address) < it->first + it->second.size ? &it->second : nullptr;
}

char* alias_of(const void* address) {
  const int number = device_of(address);
  const auto* at = static_cast<const char*>(address);
  return number < 0 ? const_cast<char*>(at) : to_alias(state().devices[std::size_t(number)], at);
}

bool in_device_pages(const void* address) {
  const char* at = static_cast<const char*>(address);
  for (const Device& device : state().devices) {
    if (device.view && at >= device.view && at < device.view + arena_bytes) return true;
    if (device.alias && at >= device.alias && at < device.alias + arena_bytes) return true;
  }
  return false;
}

std::string wrong_with(const Access& access) {
  if (!access.at) return "a null pointer";
  if (device_of(access.at) < 0) return "a pointer to memory of the host";
  const Block* block = block_of(access.at);
  if (!block)
    return "a pointer to no block of device " + std::to_string(device_of(access.at)) + ": freed, or never allocated";
  if (block->freed) return "use after free of a block of " + std::to_string(block->size) + " bytes";
  const std::size_t begin = std::size_t(static_cast<const char*>(access.at) - block->at);
  if (access.bytes <= block->size - begin) return "";
  return "bytes " + std::to_string(begin) + " to " + std::to_string(begin + access.bytes) + " of a block of " +
         std::to_string(block->size);
}

void check_margins(const void* address) {
  const Block* block = block_of(address);
  if (!block) return;
  const Device& device = device_at(block->device);
  const auto intact = [&](const char* begin, const char* end) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(to_alias(device, begin));
    return std::all_of(bytes, bytes + (end - begin), [](unsigned char byte) { return byte == poison; });
  };
  const char* end = block->at + block->size;
  if (intact(block->pages, block->at) && intact(end, block->pages + block->page_bytes)) return;
  fault("something was written just beside a block of " + std::to_string(block->size) + " bytes");
  std::memset(to_alias(device, block->pages), poison, std::size_t(block->at - block->pages));
  std::memset(to_alias(device, end), poison, std::size_t(block->pages + block->page_bytes - end));
}

void forget_memory(int number) {
  Device& device = device_at(number);
  for (const auto& [at, block] : device.blocks) close_pages(device, block);
  device.blocks.clear();
  device.used = 0;
}

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
  return runtime_call("cudaMallocFromPoolAsync", [&] {
    return allocate_in_order(result, bytes, int(reinterpret_cast<std::uintptr_t>(pool)) - 1, stream);
  });
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

// A pool is the number of its device, plus one.
cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int device) {
  return runtime_call("cudaDeviceGetDefaultMemPool", [&] {
    if (!is_device(device)) return cudaErrorInvalidDevice;
    *pool = reinterpret_cast<cudaMemPool_t>(std::uintptr_t(device) + 1);
    return cudaSuccess;
  });
}
cudaError_t cudaDeviceGetMemPool(cudaMemPool_t* pool, int device) { return cudaDeviceGetDefaultMemPool(pool, device); }

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
  return runtime_call("cudaMemPoolSetAttribute", [&] {
    if (!pool || !value) return misuse(cudaErrorInvalidValue, "a null pointer");
    if (attribute == cudaMemPoolAttrReservedMemCurrent || attribute == cudaMemPoolAttrUsedMemCurrent)
      return misuse(cudaErrorInvalidValue, "an attribute that cannot be set");
    return cudaSuccess;
  });
}

cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
  return runtime_call("cudaMemPoolGetAttribute", [&] {
    if (!pool || !value) return misuse(cudaErrorInvalidValue, "a null pointer");
    if (attribute != cudaMemPoolAttrUsedMemCurrent && attribute != cudaMemPoolAttrReservedMemCurrent)
      return misuse(cudaErrorNotSupported, "this attribute is not emulated");
    *static_cast<std::uint64_t*>(value) = device_at(int(reinterpret_cast<std::uintptr_t>(pool)) - 1).used;
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
    char* made = static_cast<char*>(std::aligned_alloc(page, round_up(std::max<std::size_t>(bytes, 1), page)));
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

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  return runtime_call("cudaMemcpyAsync", [&] { return copy(to, from, bytes, kind, stream); });
}

cudaError_t cudaMemcpyPeerAsync(void* to, int to_device, const void* from, int from_device, std::size_t bytes,
                                cudaStream_t stream) {
  return runtime_call("cudaMemcpyPeerAsync", [&] {
    if (bytes != 0 && (device_of(to) != to_device || device_of(from) != from_device))
      return misuse(cudaErrorInvalidValue, "a pointer is not of the device that is named");
    return copy(to, from, bytes, cudaMemcpyDeviceToDevice, stream);
  });
}

cudaError_t cudaMemsetAsync(void* at, int value, std::size_t bytes, cudaStream_t stream) {
  return runtime_call("cudaMemsetAsync", [&] {
    if (bytes == 0) return cudaSuccess;
    const auto on = stream_of(stream);
    if (!on) return cudaErrorInvalidResourceHandle;
    if (on->device != current_device())
      return misuse(cudaErrorInvalidResourceHandle, "a stream of a device that is not the current one");
    return enqueue(stream, {"memset", {{at, bytes, true}}, [=] { std::memset(alias_of(at), value, bytes); }});
  });
}

}  // extern "C"
