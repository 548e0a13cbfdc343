/// A folder of compiled things, kept between runs of a program. What cannot be read or written is made again.
#pragma once
#include "../backend/cuda/hash.hpp"
#include "../io/mapped_file.hpp"
#include "../io/output_file.hpp"
#include <cstdlib>
#include <optional>

namespace lamina::gpu {

/// Files that each hold a key and a value. The folder is what the environment variable LAMINA_CUDA_CACHE names; without
/// it nothing is kept.
///
/// A file is named after a hash of its key, and is
///   "lamina 1\n", length of the key, length of the value, hash of both (64 bits each), key, value
/// A reader refuses a file of another key, and one that is damaged. Files appear whole, for other processes too.
class DiskCache {
  std::string folder_;

 public:
  DiskCache() : folder_(from_environment()) {}
  explicit DiskCache(std::string folder) : folder_(std::move(folder)) {}

  /// The value of a key, if it is there whole.
  [[gnu::cold]] std::optional<std::string> read(const std::string& key) const {
    if (folder_.empty()) return {};
    try {
      const io::MappedFile file(path(key));
      const std::string_view all = file.bytes();
      if (all.size() < head_size + key.size()) return {};
      const std::string_view value = all.substr(head_size + key.size());
      if (all.substr(0, head_size) != head(key, value) || all.substr(head_size, key.size()) != key) return {};
      return std::string(value);
    } catch (const checkpoint_error&) { return {}; }
  }

  [[gnu::cold]] void write(const std::string& key, std::string_view value) const {
    if (folder_.empty()) return;
    for (std::size_t end = 0; end != folder_.npos;) {
      end = folder_.find('/', end + 1);
      static_cast<void>(mkdir(folder_.substr(0, end).c_str(), 0777));
    }
    try {
      io::OutputFile file(path(key));
      file.write(head(key, value));
      file.write(key);
      file.write(value);
      file.commit();
    } catch (const checkpoint_error&) {  // nothing is kept
    }
  }

  /// Where the value of a key is.
  std::string path(const std::string& key) const { return folder_ + "/" + hexadecimal(hash_of(key)); }

 private:
  static constexpr std::size_t head_size = 9 + 3 * 8;

  static std::string head(std::string_view key, std::string_view value) {
    std::string text = "lamina 1\n";
    for (const std::uint64_t n : {std::uint64_t(key.size()), std::uint64_t(value.size()), hash_of(value, hash_of(key))})
      for (int shift = 0; shift < 64; shift += 8) text += char(n >> shift & 255);
    return text;
  }
  static std::string from_environment() {
    const char* const folder = std::getenv("LAMINA_CUDA_CACHE");
    return folder ? folder : "";
  }
};

}  // namespace lamina::gpu
