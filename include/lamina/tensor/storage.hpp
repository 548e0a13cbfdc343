/// Reference-counted, aligned memory of tensors and parameters.
#pragma once
#include "../core/device.hpp"
#include "../core/owned.hpp"
#include <atomic>
#include <cstddef>
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

/// A shared block of bytes on the heap, zero unless said otherwise, or nothing. Copies share the block. Legal in a
/// constant expression as long as it holds nothing, so a default-constructed model is a constant.
class Storage {
  // The header takes one alignment unit before the elements.
  struct Header {
    std::atomic<long> references{1};
    std::atomic<std::uint64_t> version{0};
    std::size_t bytes = 0;
    Device device{};
    Owned<Attachment> attachment{};
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
  std::byte* data() const { return reinterpret_cast<std::byte*>(header) + storage_alignment; }
  std::size_t bytes() const { return header ? header->bytes : 0; }
  Device device() const { return header ? header->device : Device{}; }
  /// Nothing at first. Whoever uses it agrees on a lock.
  Owned<Attachment>& attachment() const { return header->attachment; }
  bool unique() const { return header && header->references.load(std::memory_order_acquire) == 1; }

  /// Changes with every write and is never used again, also not by other memory at the same address: what is derived
  /// from the elements (packed weights) is stale when it changed.
  std::uint64_t version() const { return header ? header->version.load(std::memory_order_acquire) : 0; }
  void written() {
    static std::atomic<std::uint64_t> writes{0};
    header->version.store(writes.fetch_add(1, std::memory_order_relaxed) + 1, std::memory_order_release);
  }

 private:
  // Not inline: a model has hundreds of storages, and its destructor one call for each.
  [[gnu::noinline]] static void release(Header* block) {
    if (block->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const std::align_val_t alignment = alignment_of(block->bytes);
    block->~Header();
    ::operator delete(static_cast<void*>(block), alignment);
  }
};

}  // namespace lamina
