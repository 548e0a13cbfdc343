#include "allocations.hpp"
#include <atomic>
#include <cstdlib>
#include <new>

namespace {
std::atomic<long> count{0}, bytes_asked_for{0};
void* allocate(std::size_t bytes, std::size_t alignment) {
  ++count;
  bytes_asked_for += long(bytes);
  void* p = nullptr;
  if (posix_memalign(&p, alignment < sizeof(void*) ? sizeof(void*) : alignment, bytes) != 0) throw std::bad_alloc();
  return p;
}
}  // namespace

long allocations() { return count; }
long allocated_bytes() { return bytes_asked_for; }

void* operator new(std::size_t bytes) { return allocate(bytes, 16); }
void* operator new(std::size_t bytes, std::align_val_t alignment) { return allocate(bytes, std::size_t(alignment)); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
