/// Reference-counted, aligned memory of tensors and parameters.
#pragma once
#include "../core/owned.hpp"
#include "device_memory.hpp"
#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace lamina {

/// Alignment of every tensor, in bytes: a cache line, and the widest vector register.
inline constexpr std::size_t storage_alignment = 64;

/// What somebody keeps beside the elements of a storage for as long as they live.
struct Attachment {
  virtual ~Attachment() = default;
};

/// A shared block of bytes, zero unless said otherwise, or nothing. It lies on the heap, or in the memory of a device,
/// whose bytes the host must not touch. Copies share the block. Legal in a constant expression as long as it holds
/// nothing, so a default-constructed model is a constant.
class Storage {
  // The header is on the host. It takes one alignment unit; elements on the host follow on it.
  struct Header {
    std::atomic<long> references{1};
    std::atomic<std::uint64_t> version{0};
    std::size_t bytes = 0;
    std::byte* elements = nullptr;
    DeviceMemory* memory = nullptr;
    detail::Owned<Attachment> attachment{};
  };
  static_assert(sizeof(Header) <= storage_alignment);
  Header* header = nullptr;

  // Kernels go through megabytes of weights and activations: with pages of 4 KiB, looking up addresses costs them some
  // percent of their time.
  static constexpr std::size_t huge_page = std::size_t(2) << 20;
  static constexpr std::align_val_t alignment_of(std::size_t bytes) {
    return std::align_val_t{bytes >= 2 * huge_page ? huge_page : storage_alignment};
  }
  static void advise_huge_pages([[maybe_unused]] void* block, [[maybe_unused]] std::size_t bytes) {
#if defined(__linux__)
    if (bytes >= 2 * huge_page) madvise(block, bytes, MADV_HUGEPAGE);
#endif
  }

 public:
  constexpr Storage() = default;
  explicit Storage(std::size_t bytes) : Storage(uninitialized(bytes)) { std::memset(data(), 0, bytes); }
  /// A block whose bytes are written before they are read.
  static Storage uninitialized(std::size_t bytes) {
    Storage storage;
    void* block = ::operator new(storage_alignment + bytes, alignment_of(bytes));
    advise_huge_pages(block, storage_alignment + bytes);
    storage.header = new (block) Header;
    storage.header->bytes = bytes;
    storage.header->elements = static_cast<std::byte*>(block) + storage_alignment;
    return storage;
  }
  /// Takes over a block in the memory of a device; if this throws, the block is still the caller's.
  static Storage in(DeviceMemory& memory, std::byte* block, std::size_t bytes) {
    Storage storage = uninitialized(0);
    storage.header->bytes = bytes;
    storage.header->elements = block;
    storage.header->memory = &memory;
    return storage;
  }
  constexpr Storage(const Storage& other) noexcept : header(other.header) {
    if (header) header->references.fetch_add(1, std::memory_order_relaxed);
  }
  constexpr Storage(Storage&& other) noexcept : header(std::exchange(other.header, nullptr)) {}
  constexpr Storage& operator=(Storage other) noexcept {
    std::swap(header, other.header);
    return *this;
  }
  constexpr ~Storage() {
    if (header) release(header);
  }

  constexpr explicit operator bool() const { return header != nullptr; }
  /// Where the bytes lie: an address of the device that they are on. Null for nothing.
  std::byte* data() const { return header ? header->elements : nullptr; }
  std::size_t bytes() const { return header ? header->bytes : 0; }
  /// The memory of the device; null on the host.
  DeviceMemory* memory() const { return header ? header->memory : nullptr; }
  Device device() const { return memory() ? memory()->device : Device{}; }
  /// Nothing at first. Whoever uses it agrees on a lock.
  detail::Owned<Attachment>& attachment() const { return header->attachment; }
  bool unique() const { return header && header->references.load(std::memory_order_acquire) == 1; }

  /// Changes with every write and is never used again, also not by other memory at the same address: what is derived
  /// from the elements (packed weights) is stale when it changed.
  std::uint64_t version() const { return header ? header->version.load(std::memory_order_acquire) : 0; }
  // Not inline: g++ 12 would warn of a header that is null, which it is not.
  [[gnu::noinline]] void written() {
    static std::atomic<std::uint64_t> writes{0};
    header->version.store(writes.fetch_add(1, std::memory_order_relaxed) + 1, std::memory_order_release);
  }

  /// A block of that size on the same device, whose bytes are written before they are read.
  [[gnu::noinline]] Storage similar(std::size_t size) const {
    return memory() ? memory()->allocate(size) : uninitialized(size);
  }
  /// The same bytes in a block of their own on the same device.
  [[gnu::noinline]] Storage clone() const {
    if (!header) return {};
    Storage copy = similar(bytes());
    copy_bytes(copy, 0, *this, 0, bytes());
    copy.written();
    return copy;
  }
  /// Copies a range of bytes, each block on any device.
  [[gnu::noinline]] static void copy_bytes(const Storage& to, std::size_t to_offset, const Storage& from,
                                           std::size_t from_offset, std::size_t size) {
    if (size == 0) return;
    std::byte* const target = to.data() + to_offset;
    const std::byte* const source = from.data() + from_offset;
    if (to.memory() && from.memory()) to.memory()->copy_from(*from.memory(), target, source, size);
    else if (to.memory()) to.memory()->copy_from_host(target, source, size);
    else if (from.memory()) from.memory()->copy_to_host(target, source, size);
    else std::memcpy(target, source, size);
  }

 private:
  // Not inline: a model has hundreds of storages, and its destructor one call for each.
  [[gnu::noinline]] static void release(Header* block) {
    if (block->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    if (block->memory) block->memory->release(block->elements, block->bytes);
    const std::align_val_t alignment = alignment_of(block->memory ? 0 : block->bytes);
    block->~Header();
    ::operator delete(static_cast<void*>(block), alignment);
  }
};

}  // namespace lamina
