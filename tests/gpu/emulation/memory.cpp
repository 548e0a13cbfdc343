/// The memory of devices.
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

char* to_alias(const Device& device, const char* address) { return device.alias + (address - device.view); }

void close_pages(Device& device, const Block& block) {
  mprotect(to_alias(device, block.pages), block.page_bytes, PROT_NONE);
  fallocate(device.file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, block.pages - device.view,
            off_t(block.page_bytes));
}

}  // namespace

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

cudaError_t allocate(void** result, std::size_t bytes, int device_number) {
  Device& device = device_at(device_number);
  *result = nullptr;
  if (bytes == 0) return cudaSuccess;
  const std::size_t page_bytes = (bytes + page - 1) / page * page;
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
  device.peak = std::max(device.peak, device.used);
  *result = at;
  return cudaSuccess;
}

void release(Block& block) {
  Device& device = device_at(block.device);
  check_margins(block.at);
  close_pages(device, block);
  device.blocks.erase(block.at);
}

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
