/// Zip files as torch.save writes them.
#pragma once
#include "crc32.hpp"
#include "output_file.hpp"
#include <cstdint>
#include <string>
#include <string_view>

namespace lamina::io {

/// An integer in little-endian bytes, at the end of a text.
template <class T> void append_little_endian(std::string& to, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i)
    to += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 255u);
}

/// Writes a zip archive whose records lie in the folder `archive`, stored without compression, each beginning at a
/// multiple of 64 bytes (PyTorch maps them into memory), with sizes and checksum in both of its headers. Sizes and
/// places beyond 32 bits are zip64 (.ZIP File Format Specification 6.3.9, "APPNOTE", 4.5.3); a zip64 end record is
/// always there, as PyTorch writes it. Equal records give equal files: there are no times.
class ZipWriter {
  static constexpr std::uint64_t limit = 0xffffffff;
  static constexpr std::uint16_t january_1980 = 0x21, names_are_utf8 = 0x800;
  OutputFile& file_;
  std::string directory_;
  std::uint64_t count_ = 0;

  template <class... T> static void put(std::string& to, T... values) { (append_little_endian(to, values), ...); }
  static std::uint32_t narrow(std::uint64_t value) { return static_cast<std::uint32_t>(value < limit ? value : limit); }
  // What both headers say of a record, from the version that is needed to the length of its name.
  static void put_common(std::string& to, std::string_view name, std::string_view bytes, std::uint32_t crc, bool wide) {
    const std::uint32_t size = narrow(bytes.size());
    put(to, std::uint16_t(wide ? 45 : 20), names_are_utf8, std::uint16_t(0), std::uint16_t(0), january_1980, crc, size,
        size, static_cast<std::uint16_t>(name.size()));
  }

 public:
  explicit ZipWriter(OutputFile& file) : file_(file) {}

  /// Appends a record. The name is without the folder, and short.
  [[gnu::noinline]] void add(std::string_view short_name, std::string_view bytes) {
    const std::string name = text_of({"archive/", short_name});
    const std::uint64_t offset = file_.size();
    const std::uint32_t crc = crc32(bytes);
    const bool wide_size = bytes.size() >= limit, wide_offset = offset >= limit;

    std::string header("PK\3\4", 4), extra;
    if (wide_size)
      put(extra, std::uint16_t(1), std::uint16_t(16), std::uint64_t(bytes.size()), std::uint64_t(bytes.size()));
    put_common(header, name, bytes, crc, wide_size);
    const std::size_t padding = (64 - (offset + 30 + name.size() + extra.size() + 4) % 64) % 64;
    extra += "FB";
    put(extra, static_cast<std::uint16_t>(padding));
    extra.append(padding, 'Z');
    put(header, static_cast<std::uint16_t>(extra.size()));
    file_.write((header += name) += extra);
    file_.write(bytes);

    extra.clear();
    if (wide_size || wide_offset) {
      put(extra, std::uint16_t(1), static_cast<std::uint16_t>(16 * wide_size + 8 * wide_offset));
      if (wide_size) put(extra, std::uint64_t(bytes.size()), std::uint64_t(bytes.size()));
      if (wide_offset) put(extra, offset);
    }
    directory_.append("PK\1\2", 4);
    put(directory_, std::uint16_t(45));
    put_common(directory_, name, bytes, crc, wide_size || wide_offset);
    // After the extra field: comment, disk, internal and external attributes.
    put(directory_, static_cast<std::uint16_t>(extra.size()), std::uint16_t(0), std::uint16_t(0), std::uint16_t(0),
        std::uint32_t(0), narrow(offset));
    (directory_ += name) += extra;
    ++count_;
  }

  /// Writes the directory. Nothing follows it.
  [[gnu::noinline]] void finish() {
    const std::uint64_t offset = file_.size(), size = directory_.size();
    const auto few = static_cast<std::uint16_t>(count_ < 0xffff ? count_ : 0xffff);
    std::string& end = directory_;
    end.append("PK\6\6", 4);  // zip64 end record: its length, versions, disks, counts, the directory's size and place
    put(end, std::uint64_t(44), std::uint16_t(45), std::uint16_t(45), std::uint64_t(0), count_, count_, size, offset);
    end.append("PK\6\7", 4);  // its locator
    put(end, std::uint32_t(0), offset + size, std::uint32_t(1));
    end.append("PK\5\6", 4);
    put(end, std::uint32_t(0), few, few, narrow(size), narrow(offset), std::uint16_t(0));
    file_.write(end);
  }
};

}  // namespace lamina::io
