/// A folder of compiled things, kept between runs of a program. What cannot be read or written is made again.
#pragma once
#include "../backend/cuda/hash.hpp"
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <unistd.h>

namespace lamina::gpu {

/// Files that each hold a key and a value. The folder is what the environment variable LAMINA_CUDA_CACHE names; without
/// it nothing is kept.
///
/// A file is named after a hash of its key, and is
///   "lamina 1\n", length of the key, length of the value, hash of both (64 bits each), key, value
/// A reader refuses a file of another key, and one that is damaged. Writers rename a finished file into place, so that
/// readers in other processes see whole ones.
class DiskCache {
  std::string folder_;

 public:
  DiskCache() : folder_(from_environment()) {}
  explicit DiskCache(std::string folder) : folder_(std::move(folder)) {}

  /// The value of a key, if it is there whole.
  std::optional<std::string> read(const std::string& key) const {
    if (folder_.empty()) return {};
    std::ifstream file(path(key), std::ios::binary);
    const std::string all{std::istreambuf_iterator<char>(file), {}};
    const std::size_t begin = head_size + key.size();
    if (all.size() < begin || all.compare(head_size, key.size(), key) != 0) return {};
    std::string value = all.substr(begin);
    if (all.compare(0, head_size, head(key, value)) != 0) return {};
    return value;
  }

  void write(const std::string& key, const std::string& value) const {
    if (folder_.empty()) return;
    std::error_code ignored;
    std::filesystem::create_directories(folder_, ignored);
    const std::string whole = path(key);
    std::string part = whole + ".XXXXXX";
    const int file = mkstemp(part.data());
    if (file < 0) return;
    close(file);
    std::ofstream out(part, std::ios::binary);
    out << head(key, value) << key << value;
    out.close();
    if (out) std::filesystem::rename(part, whole, ignored);
    if (!out || ignored) std::filesystem::remove(part, ignored);
  }

  /// Where the value of a key is.
  std::string path(const std::string& key) const { return folder_ + "/" + hexadecimal(hash_of(key)); }

 private:
  static constexpr std::size_t head_size = 9 + 3 * 8;

  static std::string head(const std::string& key, const std::string& value) {
    std::string text = "lamina 1\n";
    for (const std::uint64_t n : {std::uint64_t(key.size()), std::uint64_t(value.size()), hash_of(key + value)})
      for (int shift = 0; shift < 64; shift += 8) text += char(n >> shift & 255);
    return text;
  }
  static std::string from_environment() {
    const char* const folder = std::getenv("LAMINA_CUDA_CACHE");
    return folder ? folder : "";
  }
};

}  // namespace lamina::gpu
