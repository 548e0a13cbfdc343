/// The zip files that torch.save writes: records that are stored, not compressed, under one folder name.
#pragma once
#include "../core/list.hpp"
#include "byte_range.hpp"
#include "bytes.hpp"
#include "crc32.hpp"
#include "mapped_file.hpp"
#include "name_map.hpp"
#include <cstdint>
#include <string>
#include <string_view>

namespace lamina::io {

/// A record of a zip file: its name without the folder, and its bytes in the mapped file.
struct ZipRecord {
  std::string_view name;
  std::string_view bytes;
};

/// The directory of a zip file as PyTorch writes it (caffe2/serialize/inline_container.cc; .ZIP File Format
/// Specification 6.3.9, "APPNOTE"), read strictly: whatever PyTorch never writes and could hide something is refused.
/// That is: compression, encryption, several disks, records that overlap, lie outside the file or reach into the
/// directory, equal names (the case of letters does not count), a record whose own header has another name, a wrong
/// checksum. A checksum of 0 is unknown. Names are compared only, never used as paths. Bytes after the end of the
/// archive are ignored, as PyTorch does.
class ZipArchive {
 public:
  /// Reads the directory and checks every record. Throws checkpoint_error.
  explicit ZipArchive(MappedFile file) : file_(std::move(file)) {
    const Directory directory = find_directory();
    read_entries(directory);
    check_overlap();
    for (const Entry& entry : entries_)
      if (entry.crc != 0 && crc32(entry.record.bytes) != entry.crc)
        refuse(printable(entry.record.name), "its checksum (CRC-32) is wrong: the file is damaged");
  }

  const MappedFile& file() const { return file_; }
  std::size_t size() const { return entries_.size(); }
  const ZipRecord& operator[](std::size_t index) const { return entries_[index].record; }

  static constexpr std::size_t none = ~std::size_t(0);
  /// The index of the record of that name, whatever the case of its letters, or `none`.
  [[gnu::noinline, gnu::cold]] std::size_t find(std::string_view name) const {
    const std::int64_t* const index = by_name_.find(lower_case(name));
    return index ? std::size_t(*index) : none;
  }

  /// Names are compared in this form, as PyTorch compares them.
  [[gnu::noinline, gnu::cold]] static std::string lower_case(std::string_view text) {
    std::string result;
    for (const char c : text) result += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return result;
  }

  /// Refuses the file because of one of its records.
  [[noreturn, gnu::cold, gnu::noinline]] void refuse(Message record, Message why) const {
    io::refuse(file_.path(), record, why);
  }
  [[noreturn, gnu::cold, gnu::noinline]] void refuse(Piece record, const char* why) const {
    io::refuse(file_.path(), record, why);
  }

 private:
  struct Directory {
    std::uint64_t offset, size, count;
  };
  struct Entry {
    std::string_view header, name, extra;  // in the directory: the first 46 bytes, the name with the folder
    ZipRecord record;
    std::uint32_t crc = 0;
    std::uint64_t begin = 0, end = 0;  // with its local header
  };

  MappedFile file_;
  lamina::detail::List<Entry> entries_;
  NameMap by_name_;

  static constexpr std::string_view end_signature{"PK\5\6", 4}, locator_signature{"PK\6\7", 4},
      zip64_end_signature{"PK\6\6", 4}, entry_signature{"PK\1\2", 4}, local_signature{"PK\3\4", 4};

  [[gnu::noinline, gnu::cold]] static std::uint16_t u16(std::string_view bytes, std::size_t at) {
    return little_endian<std::uint16_t>(bytes.substr(at));
  }
  [[gnu::noinline, gnu::cold]] static std::uint32_t u32(std::string_view bytes, std::size_t at) {
    return little_endian<std::uint32_t>(bytes.substr(at));
  }
  [[gnu::noinline, gnu::cold]] static std::uint64_t u64(std::string_view bytes, std::size_t at) {
    return little_endian<std::uint64_t>(bytes.substr(at));
  }

  // The end record is the last thing in the file but for a comment of at most 65535 bytes. The zip64 end record holds
  // the numbers that do not fit it; PyTorch always writes one.
  [[gnu::cold]] Directory find_directory() const {
    const std::string_view all = file_.bytes();
    constexpr std::size_t end_size = 22, longest_comment = 65535;
    const std::size_t first = all.size() > end_size + longest_comment ? all.size() - end_size - longest_comment : 0;
    const std::string_view candidates = all.substr(first);
    const std::size_t found =
        candidates.size() < end_size ? all.npos : candidates.rfind(end_signature, candidates.size() - end_size);
    if (found == all.npos)
      refuse("", "the end of the zip archive is missing: the file is cut off (an incomplete download or copy?)");
    const std::size_t end = first + found;
    const std::string_view tail = all.substr(end);
    if (u16(tail, 20) > tail.size() - end_size)
      refuse("end of archive", "its comment reaches past the end of the file");
    if ((u16(tail, 4) != 0 && u16(tail, 4) != 0xffff) || (u16(tail, 6) != 0 && u16(tail, 6) != 0xffff))
      refuse("end of archive", "the archive spans several disks");
    if (u16(tail, 8) != u16(tail, 10)) refuse("end of archive", "its two counts of records differ");
    Directory directory{u32(tail, 16), u32(tail, 12), u16(tail, 10)};
    const bool needs_zip64 =
        directory.count == 0xffff || directory.size == 0xffffffff || directory.offset == 0xffffffff;
    std::size_t directory_end = end;
    if (end >= 20 && all.substr(end - 20, 4) == locator_signature) {
      directory_end = read_zip64_end(end - 20, directory);
    } else if (needs_zip64) {
      refuse("end of archive", "it refers to a zip64 record and there is none");
    }
    if (directory.count == 0) refuse("", "is an empty zip archive");
    if (directory.offset > directory_end || directory.size != directory_end - directory.offset)
      refuse({"end of archive"}, {"the directory should take ", directory.size, " bytes from ", directory.offset,
                                  " but its end is at ", directory_end});
    if (directory.count > directory.size / 46)
      refuse({"end of archive"}, {"the directory is too short for ", directory.count, " records"});
    return directory;
  }

  // Replaces what the 32-bit end record says; returns where the zip64 end record begins.
  [[gnu::cold]] std::size_t read_zip64_end(std::size_t locator, Directory& directory) const {
    const std::string_view all = file_.bytes();
    const std::uint64_t at = u64(all, locator + 8);
    if (u32(all, locator + 4) != 0 || u32(all, locator + 16) > 1)
      refuse("zip64 locator", "the archive spans several disks");
    if (at > locator || locator - at < 56 || all.substr(at, 4) != zip64_end_signature)
      refuse({"zip64 locator"}, {"there is no zip64 record at ", at});
    const std::string_view record = all.substr(at, locator - at);
    if (u64(record, 4) != record.size() - 12) refuse("zip64 record", "its length is wrong");
    if (u32(record, 16) != 0 || u32(record, 20) != 0) refuse("zip64 record", "the archive spans several disks");
    const Directory wide{u64(record, 48), u64(record, 40), u64(record, 32)};
    if (u64(record, 24) != wide.count) refuse("zip64 record", "its two counts of records differ");
    if ((directory.count != 0xffff && directory.count != wide.count) ||
        (directory.size != 0xffffffff && directory.size != wide.size) ||
        (directory.offset != 0xffffffff && directory.offset != wide.offset))
      refuse("zip64 record", "it disagrees with the end record");
    directory = wide;
    return static_cast<std::size_t>(at);
  }

  [[gnu::cold]] void read_entries(const Directory& directory) {
    std::string_view rest = file_.bytes().substr(directory.offset, directory.size);
    std::string_view folder;
    entries_ = lamina::detail::List<Entry>(directory.count);
    for (std::uint64_t i = 0; i < directory.count; ++i) {
      if (rest.size() < 46 || rest.substr(0, 4) != entry_signature)
        refuse({"directory entry ", i}, {"is missing or damaged"});
      const std::size_t name_size = u16(rest, 28), extra_size = u16(rest, 30), comment_size = u16(rest, 32);
      if (name_size + extra_size + comment_size > rest.size() - 46)
        refuse({"directory entry ", i}, {"reaches past the end of the directory"});
      const std::string_view name = rest.substr(46, name_size);
      if (i == 0) folder = name.substr(0, name.find('/') + 1);
      if (folder.empty() || name.substr(0, folder.size()) != folder)
        refuse({"directory entry ", i},
               {quoted_name(name), " is not in the folder that all records of a PyTorch file share"});
      const std::string_view short_name = name.substr(folder.size());
      if (by_name_.number(lower_case(short_name), std::int64_t(i)) != std::int64_t(i))
        refuse(printable(short_name), "there are two records of this name");
      Entry& entry = entries_[i];
      entry.header = rest.substr(0, 46);
      entry.name = name;
      entry.record.name = short_name;
      entry.extra = rest.substr(46 + name_size, extra_size);
      rest.remove_prefix(46 + name_size + extra_size + comment_size);
    }
    if (!rest.empty())
      refuse({"end of archive"}, {"the directory holds more than the ", directory.count, " records it counts"});
    if (find("constants.pkl") != none)
      refuse("",
             "is a TorchScript program (torch.jit.save), which is not read; save the state_dict of the model instead");
    for (Entry& entry : entries_) read_entry(entry, directory);
  }

  [[gnu::cold]] void read_entry(Entry& entry, const Directory& directory) const {
    const std::string_view header = entry.header, name = entry.name, record = entry.record.name;
    const auto method = u16(header, 10);
    check_flags(u16(header, 8), record);
    if (method != 0)
      refuse({printable(record)}, {"is compressed (method ", method,
                                   "); PyTorch stores records without compression. Was the archive packed again?"});
    std::uint64_t size = u32(header, 24), packed_size = u32(header, 20), offset = u32(header, 42);
    const std::uint16_t disk = u16(header, 34);
    read_zip64_extra(entry.extra, record, size, packed_size, offset);
    if (disk != 0) refuse(printable(record), "the archive spans several disks");
    if (size != packed_size) refuse(printable(record), "is stored, but its two sizes differ");
    const std::string_view body = file_.bytes().substr(0, directory.offset);  // a record must end before the directory
    if (offset > body.size() || body.size() - offset < 30) refuse(printable(record), "lies outside the file");
    const std::string_view local = body.substr(offset);
    const std::size_t local_name_size = u16(local, 26), skipped = 30 + local_name_size + u16(local, 28);
    if (local.substr(0, 4) != local_signature) refuse({printable(record)}, {"there is no record at ", offset});
    if (local_name_size != name.size() || local.substr(30, local_name_size) != name)
      refuse({printable(record)},
             {"the record itself has another name: ", quoted_name(local.substr(30, local_name_size))});
    check_flags(u16(local, 6), record);
    if (u16(local, 8) != method) refuse(printable(record), "the record itself says that it is compressed");
    if (skipped > local.size() || size > local.size() - skipped)
      refuse(printable(record), "reaches past the records of the file");
    entry.record.bytes = local.substr(skipped, size);
    entry.crc = u32(header, 16);
    entry.begin = offset;
    entry.end = offset + skipped + size;
  }

  [[gnu::cold]] void check_flags(std::uint16_t flags, std::string_view record) const {
    if (flags & 0x2041u) refuse(printable(record), "is encrypted");  // bits 0, 6 and 13
    // Bit 3: sizes follow the data; bit 11: names are UTF-8; bits 1 and 2: how hard a compressor tried.
    if (flags & ~0x080eu) refuse({printable(record)}, {"uses features that PyTorch never writes (flags ", flags, ")"});
  }

  // APPNOTE 4.5.3: 64-bit values, each present only if its 32-bit field is FFFFFFFF.
  [[gnu::cold]] void read_zip64_extra(std::string_view extra, std::string_view record, std::uint64_t& size,
                                      std::uint64_t& packed_size, std::uint64_t& offset) const {
    bool found = false;
    while (!extra.empty()) {
      if (extra.size() < 4 || u16(extra, 2) > extra.size() - 4) refuse(printable(record), "its extra field is cut off");
      std::string_view field = extra.substr(4, u16(extra, 2));
      if (u16(extra, 0) == 1) {
        if (found) refuse(printable(record), "has two zip64 fields");
        found = true;
        for (std::uint64_t* value : {&size, &packed_size, &offset}) {
          if (*value != 0xffffffff) continue;
          if (field.size() < 8) refuse(printable(record), "its zip64 field is too short");
          *value = u64(field, 0);
          field.remove_prefix(8);
        }
      }
      extra.remove_prefix(4 + u16(extra, 2));
    }
    if (!found && (size == 0xffffffff || packed_size == 0xffffffff || offset == 0xffffffff))
      refuse(printable(record), "refers to a zip64 field and there is none");
  }

  [[gnu::cold]] void check_overlap() const {
    lamina::detail::List<ByteRange> ranges;
    for (std::size_t i = 0; i < entries_.size(); ++i) ranges.push_back({entries_[i].begin, entries_[i].end, i});
    sort(ranges);
    std::uint64_t end = 0;
    for (const ByteRange& range : ranges) {
      if (range.begin < end) refuse(printable(entries_[range.owner].record.name), "overlaps another record");
      end = range.end;
    }
  }
};

}  // namespace lamina::io
