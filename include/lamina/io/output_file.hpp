/// A file that appears whole or not at all.
#pragma once
#include "refuse.hpp"
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace lamina::io {

/// Writes a file beside the one that it will replace, and renames it when it is complete (POSIX rename): whoever opens
/// the path at any time, also after a crash, finds the old file or the new one. Without `commit` nothing stays. A
/// symbolic link is followed; what is no regular file is not replaced. Every failure throws checkpoint_error.
class OutputFile {
  std::string path_, temporary_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  bool hole_at_end_ = false;

 public:
  [[gnu::noinline]] explicit OutputFile(std::string path) : path_(std::move(path)) {
    struct stat status {};
    mode_t mode = 0666;  // of a new file, less the process's umask
    const bool exists = stat(path_.c_str(), &status) == 0;
    if (exists) {
      if (S_ISDIR(status.st_mode)) refuse(path_, "", "is a folder");
      if (!S_ISREG(status.st_mode)) refuse(path_, "", "is no regular file; it would be replaced");
      mode = status.st_mode & 07777;
      if (char* const resolved = realpath(path_.c_str(), nullptr)) {
        path_ = resolved;
        std::free(resolved);
      }
    }
    static std::atomic<unsigned> count{0};
    do temporary_ = text_of({path_, ".", getpid(), ".", count.fetch_add(1, std::memory_order_relaxed), ".tmp"});
    while ((descriptor_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)) < 0 &&
           errno == EEXIST);
    if (descriptor_ < 0) refuse(path_, {}, {"cannot be written: ", std::strerror(errno)});
    if (exists) (void)!fchmod(descriptor_, mode);  // open() took the umask off
  }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile() {
    if (descriptor_ >= 0) close(descriptor_);
    if (!temporary_.empty()) unlink(temporary_.c_str());
  }

  const std::string& path() const { return path_; }
  /// The number of bytes so far.
  std::uint64_t size() const { return size_; }

  /// Appends bytes. A mebibyte of zeros becomes a hole, which takes no space on the disk: a sparse file stays sparse.
  [[gnu::noinline]] void write(std::string_view bytes) {
    constexpr std::size_t piece = std::size_t(1) << 20;
    for (; bytes.size() >= piece; bytes.remove_prefix(piece)) {
      const bool zeros = bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, piece - 1) == 0;
      if (zeros) skip(piece);
      else write_all(bytes.substr(0, piece));
    }
    write_all(bytes);
  }

  /// Makes the file the one at the path, once all of it is on the disk.
  [[gnu::noinline]] void commit() {
    if (hole_at_end_ && ftruncate(descriptor_, static_cast<off_t>(size_)) != 0) fail();
    if (fsync(descriptor_) != 0) fail();
    const int descriptor = std::exchange(descriptor_, -1);
    if (close(descriptor) != 0 || std::rename(temporary_.c_str(), path_.c_str()) != 0) fail();
    temporary_.clear();
    // The name is on the disk only when the folder is; a file system that cannot do this keeps its own order.
    const std::size_t slash = path_.rfind('/');
    const std::string folder = slash == path_.npos ? "." : path_.substr(0, slash + 1);
    if (const int opened = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); opened >= 0) {
      (void)fsync(opened);
      close(opened);
    }
  }

 private:
  [[noreturn, gnu::cold, gnu::noinline]] void fail() const {
    refuse(path_, {}, {"cannot be written: ", std::strerror(errno)});
  }
  void skip(std::size_t count) {
    if (lseek(descriptor_, static_cast<off_t>(count), SEEK_CUR) < 0) fail();
    size_ += count;
    hole_at_end_ = true;
  }
  void write_all(std::string_view bytes) {
    if (!bytes.empty()) hole_at_end_ = false;
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail();
      size_ += static_cast<std::uint64_t>(written);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }
};

}  // namespace lamina::io
