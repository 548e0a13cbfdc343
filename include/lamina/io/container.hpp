/// The formats of weight files.
#pragma once
#include "bytes.hpp"
#include "mapped_file.hpp"
#include "refuse.hpp"
#include <cstdint>
#include <string_view>
#include <utility>

namespace lamina::io {

/// The formats of weight files, told apart by their first bytes; names and extensions do not count.
enum class Container : std::uint8_t { zip, legacy, safetensors, index };

namespace detail {
/// Says what a file is that holds no weights.
inline constexpr std::pair<std::string_view, std::string_view> no_weight_files[] = {
    {"version https://git-lfs", "is a git-lfs pointer, not the weights themselves; fetch them with `git lfs pull`"},
    {"\x1f\x8b", "is compressed with gzip; unpack it first"},
    {"PK\5\6", "is an empty zip archive"},
    {"\x89HDF\r\n", "is an HDF5 file (Keras?), which is not read"},
    {"GGUF", "is a GGUF file, which is not read"},
    {"\x93NUMPY", "is a NumPy array, which is not read"},
};
[[noreturn, gnu::cold, gnu::noinline]] inline void refuse_other(const MappedFile& file) {
  const std::string_view bytes = file.bytes();
  if (bytes.empty()) refuse(file.path(), "", "is empty");
  for (const auto& [start, what] : no_weight_files)
    if (bytes.substr(0, start.size()) == start) refuse(file.path(), {}, {what});
  const std::size_t first = bytes.substr(0, 512).find_first_not_of(" \t\r\n");
  if (first != bytes.npos && bytes[first] == '<')
    refuse(file.path(), "", "is a web page or XML, not weights; was a link to a page downloaded?");
  if (bytes.size() > 262 && bytes.substr(257, 5) == "ustar")
    refuse(file.path(), "", "is a tar archive, as PyTorch wrote before version 0.1.10; it is not read");
  if (bytes.size() > 8 && little_endian<std::uint64_t>(bytes) <= bytes.size() - 8)
    refuse(file.path(), {},
           {"is no weight file; were it safetensors, its header would begin with { and not with ",
            quoted_name(bytes.substr(8, 1))});
  refuse(file.path(), {},
         {"is no weight file: neither a file of torch.save nor safetensors (it begins with ",
          quoted_name(bytes.substr(0, 8)), ")"});
}
}  // namespace detail

/// The format of a file. Throws checkpoint_error, which says what the file is instead if that can be told.
[[gnu::cold]] inline Container container_of(const MappedFile& file) {
  const std::string_view bytes = file.bytes();
  const bool brace = bytes.size() > 8 && bytes[8] == '{';
  if (bytes.substr(0, 4) == "PK\3\4") return Container::zip;
  // Before byte 80, which can also be the low byte of a safetensors header's length.
  if (brace && little_endian<std::uint64_t>(bytes) <= 100000000) return Container::safetensors;
  if (bytes.substr(0, 1) == "\x80") return Container::legacy;
  if (brace) return Container::safetensors;
  if (bytes.substr(0, 1) == "{") return Container::index;
  detail::refuse_other(file);
}

}  // namespace lamina::io
