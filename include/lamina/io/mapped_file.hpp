/// A file as read-only memory.
#pragma once
#include "refuse.hpp"
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace lamina::io {

/// A regular file mapped into memory (POSIX mmap), or nothing. Copies share the mapping; the last one removes it. Bytes
/// are read from disk when they are first touched. As with every mapping, a file that another process cuts short
/// meanwhile ends this process with SIGBUS; a file that is replaced by renaming does not.
class MappedFile {
  struct Mapping {
    std::atomic<long> references{1};
    std::string path;
    void* data = nullptr;
    std::size_t size = 0;
    bool borrowed = false;
    explicit Mapping(std::string name) : path(std::move(name)) {}
    Mapping(const Mapping&) = delete;
    ~Mapping() {
      if (data && !borrowed) munmap(data, size);
    }
  };
  Mapping* mapping = nullptr;

 public:
  MappedFile() = default;
  /// Maps the file. Throws checkpoint_error if it cannot be opened or is no regular file (a folder, a pipe).
  explicit MappedFile(std::string path) : MappedFile(new Mapping(std::move(path)), 0) { map(); }
  /// A file that is in memory already: embedded in the program, or received. `bytes` must outlive all copies; `name`
  /// stands for the path in errors.
  MappedFile(std::string name, std::string_view bytes) : MappedFile(new Mapping(std::move(name)), 0) {
    mapping->borrowed = true;
    mapping->data = const_cast<char*>(bytes.data());  // never written to
    mapping->size = bytes.size();
  }
  MappedFile(const MappedFile& other) noexcept : mapping(other.mapping) {
    if (mapping) mapping->references.fetch_add(1, std::memory_order_relaxed);
  }
  MappedFile(MappedFile&& other) noexcept : mapping(std::exchange(other.mapping, nullptr)) {}
  MappedFile& operator=(MappedFile other) noexcept {
    std::swap(mapping, other.mapping);
    return *this;
  }
  ~MappedFile() {
    if (mapping && mapping->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete mapping;
  }

  /// The path as it was given; empty if nothing is mapped.
  std::string_view path() const { return mapping ? std::string_view(mapping->path) : std::string_view(); }
  /// The whole content.
  std::string_view bytes() const {
    return mapping && mapping->data ? std::string_view(static_cast<const char*>(mapping->data), mapping->size)
                                    : std::string_view();
  }

 private:
  MappedFile(Mapping* fresh, int) : mapping(fresh) {}  // complete from here on: the destructor runs if map() throws

  [[gnu::noinline, gnu::cold]] void map() {
    struct Descriptor {
      int number;
      ~Descriptor() {
        if (number >= 0) close(number);
      }
    };
    // Opening a pipe without O_NONBLOCK would wait for a writer.
    const Descriptor file{open(mapping->path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (file.number < 0) refuse(path(), {}, {"cannot be opened: ", std::strerror(errno)});
    struct stat status {};
    if (fstat(file.number, &status) != 0) refuse(path(), {}, {"cannot be read: ", std::strerror(errno)});
    if (S_ISDIR(status.st_mode)) refuse(path(), "", "is a folder, not a weight file");
    if (!S_ISREG(status.st_mode)) refuse(path(), "", "is not a regular file");
    if (status.st_size == 0) return;  // an empty mapping does not exist
    const auto size = static_cast<std::size_t>(status.st_size);
    void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number, 0);
    if (data == MAP_FAILED) refuse(path(), {}, {"cannot be mapped: ", std::strerror(errno)});
    mapping->data = data;
    mapping->size = size;
  }
};

}  // namespace lamina::io
