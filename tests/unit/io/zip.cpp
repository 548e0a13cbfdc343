// Zip archives: what torch.save writes is read, everything section 9 of the format notes lists is refused.
#include "hand_built.hpp"
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using namespace hand_built;
using Catch::Matchers::ContainsSubstring;

namespace {
const std::string weight = pickled(dict({{"w", tensor()}}));
std::vector<Record> sound() { return torch_records(weight, {floats({1, 2})}); }
// The same archive with one record changed: 0 data.pkl, 1 byteorder, 2 data/0, 3 version.
template <class Change> std::string with(std::size_t index, const Change& change) {
  std::vector<Record> records = sound();
  change(records[index]);
  return refusal(zip(records));
}
// torch.save always writes a zip64 end record and its locator.
std::string zip64(std::string archive, std::uint64_t count, std::uint64_t size, std::uint64_t offset, bool only_zip64) {
  std::string end = archive.substr(archive.size() - 22);
  archive.resize(archive.size() - 22);
  const std::uint64_t at = archive.size();
  if (only_zip64) end.replace(8, 12, std::string(12, '\xff'));
  return archive + "PK\6\6" + u64(44) + u16(45) + u16(45) + u32(0) + u32(0) + u64(count) + u64(count) + u64(size) +
         u64(offset) + "PK\6\7" + u32(0) + u64(at) + u32(1) + end;
}
}  // namespace

TEST_CASE("io: crc32 gives the check value of the catalogue of CRC algorithms", "[io]") {
  CHECK(lamina::io::crc32("123456789") == 0xcbf43926);
  CHECK(lamina::io::crc32("") == 0);
  // zlib.crc32(bytes(range(256))) in Python
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  CHECK(lamina::io::crc32(all) == 0x29058c73);
  // zlib.crc32(bytes((i * i + 7 * i) % 251 for i in range(100003))[: n])
  std::string longer;
  for (int i = 0; i < 100003; ++i) longer += static_cast<char>((std::int64_t(i) * i + 7 * i) % 251);
  CHECK(lamina::io::crc32(longer.substr(0, 4095)) == 0x3950072a);
  CHECK(lamina::io::crc32(longer.substr(0, 4096)) == 0x633056ae);
  CHECK(lamina::io::crc32(longer.substr(0, 4097)) == 0xb60a771b);
  CHECK(lamina::io::crc32(longer.substr(0, 4159)) == 0xb320f768);
  CHECK(lamina::io::crc32(longer.substr(0, 65536)) == 0x8930d8a4);
  CHECK(lamina::io::crc32(longer.substr(0, 100003)) == 0xf6e29940);
}

TEST_CASE("io: a hand-built archive is read", "[io]") {
  const TemporaryFile file(zip(sound()));
  const auto tensors = lamina::io::read_state_dict(file.path());
  REQUIRE(keys(tensors) == std::vector<std::string>{"w"});
  CHECK(elements(tensors[0]) == std::vector<float>{1, 2});
  CHECK(tensors.path() == file.path());
}

TEST_CASE("io: archives may have zip64 records, a comment, bytes after the end, checksums and any case of letters",
          "[io]") {
  std::string archive = zip(sound());
  const std::uint64_t size = lamina::io::little_endian<std::uint32_t>(
                          std::string_view(archive).substr(archive.size() - 10)),
                      offset = lamina::io::little_endian<std::uint32_t>(
                          std::string_view(archive).substr(archive.size() - 6));
  CHECK(refusal(zip64(archive, 4, size, offset, false)) == "");
  CHECK(refusal(zip64(archive, 4, size, offset, true)) == "");
  CHECK_THAT(refusal(zip64(archive, 3, size, offset, false)), ContainsSubstring("zip64"));
  CHECK_THAT(refusal(zip64(archive, 3, size, offset, true)), ContainsSubstring("directory"));
  CHECK_THAT(refusal(zip64(archive, ~0ull, size, offset, true)), ContainsSubstring("directory"));
  CHECK_THAT(refusal(zip64(archive, 4, ~0ull, offset, true)), ContainsSubstring("directory"));
  CHECK_THAT(refusal(zip64(archive, 4, size, ~0ull, true)), ContainsSubstring("directory"));
  std::string commented = archive;
  commented.replace(commented.size() - 2, 2, u16(5) + "hello");
  CHECK(refusal(commented) == "");
  CHECK(refusal(archive + std::string(1000, '\0')) == "");
  CHECK(with(2, [](Record& r) { r.crc = lamina::io::crc32(r.bytes); }) == "");
  CHECK(with(2, [](Record& r) { r.name = r.local_name = "a/DATA/0"; }) == "");
}

TEST_CASE("io: zip64 fields hold the sizes that do not fit 32 bits", "[io]") {
  const auto wide = [](std::string field) {
    return with(2, [&](Record& r) {
      r.size = r.packed_size = 0xffffffff;
      r.extra = u16(1) + u16(field.size()) + field;
    });
  };
  CHECK(wide(u64(8) + u64(8)) == "");
  CHECK_THAT(wide(u64(8)), ContainsSubstring("data/0: its zip64 field is too short"));
  CHECK_THAT(wide(u64(8) + u64(9)), ContainsSubstring("its two sizes differ"));
  CHECK_THAT(wide(u64(1ull << 60) + u64(1ull << 60)), ContainsSubstring("data/0: reaches past"));
  CHECK_THAT(with(2, [](Record& r) { r.size = r.packed_size = 0xffffffff; }),
             ContainsSubstring("zip64 field and there is none"));
  CHECK_THAT(with(2, [](Record& r) { r.extra = u16(1) + u16(9); }), ContainsSubstring("extra field is cut off"));
}

TEST_CASE("io: a broken record is refused by its name", "[io]") {
  CHECK_THAT(with(2, [](Record& r) { r.crc = 1; }), ContainsSubstring("data/0: its checksum"));
  CHECK_THAT(with(2, [](Record& r) { r.flags = 1; }), ContainsSubstring("data/0: is encrypted"));
  CHECK_THAT(with(2, [](Record& r) { r.flags = 0x40; }), ContainsSubstring("encrypted"));
  CHECK_THAT(with(2, [](Record& r) { r.flags = 0x2000; }), ContainsSubstring("encrypted"));
  CHECK_THAT(with(2, [](Record& r) { r.method = 8; }), ContainsSubstring("data/0: is compressed (method 8)"));
  CHECK_THAT(with(2, [](Record& r) { r.packed_size -= 1; }), ContainsSubstring("its two sizes differ"));
  CHECK_THAT(with(2, [](Record& r) { r.size = r.packed_size = 1 << 20; }), ContainsSubstring("data/0: reaches past"));
  CHECK_THAT(with(2, [](Record& r) { r.size = r.packed_size = 12; }), ContainsSubstring("overlaps"));
  CHECK_THAT(with(2, [](Record& r) { r.local_name = "a/data/1"; }),
             ContainsSubstring("data/0: the record itself has another name"));
  CHECK_THAT(with(2, [](Record& r) { r.name = r.local_name = "b/data/0"; }), ContainsSubstring("not in the folder"));
  CHECK_THAT(with(2, [](Record& r) { r.name = r.local_name = "a/Version"; }),
             ContainsSubstring("two records of this name"));
  CHECK_THAT(with(0, [](Record& r) { r.name = r.local_name = "data.pkl"; }), ContainsSubstring("folder"));
}

TEST_CASE("io: archives that torch.save did not write are refused", "[io]") {
  CHECK_THAT(with(0, [](Record& r) { r.name = r.local_name = "a/other.pkl"; }), ContainsSubstring("without data.pkl"));
  CHECK_THAT(with(3, [](Record& r) { r.name = r.local_name = "a/ver"; }), ContainsSubstring("version"));
  CHECK_THAT(with(3, [](Record& r) { r.bytes[0] = '0'; }),
             ContainsSubstring("version: the version of the file format is \"0\""));
  CHECK_THAT(with(3, [](Record& r) { r.bytes = "11", r.size = r.packed_size = 2; }), ContainsSubstring("version"));
  CHECK_THAT(with(1, [](Record& r) { r.bytes = "middle"; }), ContainsSubstring("byteorder: is \"middle\""));
  std::vector<Record> script = sound();
  script.push_back({"a/code/net.py", "x"});
  script.back().method = 8;  // TorchScript compresses its code
  script.push_back({"a/constants.pkl", pickled(")")});
  CHECK_THAT(refusal(zip(script)), ContainsSubstring("TorchScript"));
}

TEST_CASE("io: an archive that is cut off anywhere is refused", "[io]") {
  const std::string archive = zip(sound());
  for (std::size_t size = 0; size < archive.size(); ++size) {
    INFO("cut to " << size << " bytes");
    CHECK(refusal(std::string_view(archive).substr(0, size)) != "");
  }
}

TEST_CASE("io: the end of an archive is checked field by field", "[io]") {
  const std::string archive = zip(sound());
  const std::size_t end = archive.size() - 22;
  const auto with_end = [&](std::size_t at, const std::string& bytes) {
    std::string changed = archive;
    return refusal(changed.replace(end + at, bytes.size(), bytes));
  };
  CHECK_THAT(with_end(4, u16(1)), ContainsSubstring("several disks"));
  CHECK_THAT(with_end(6, u16(1)), ContainsSubstring("several disks"));
  CHECK_THAT(with_end(8, u16(3)), ContainsSubstring("counts of records differ"));
  CHECK_THAT(with_end(8, u16(3) + u16(3)), ContainsSubstring("more than the 3 records"));
  CHECK_THAT(with_end(8, u16(5) + u16(5)), ContainsSubstring("too short for 5 records"));
  CHECK_THAT(with_end(8, u16(0xffff) + u16(0xffff)), ContainsSubstring("zip64"));
  CHECK_THAT(with_end(12, u32(1)), ContainsSubstring("directory"));
  CHECK_THAT(with_end(16, u32(0)), ContainsSubstring("directory"));
  CHECK_THAT(with_end(20, u16(1)), ContainsSubstring("comment"));
}
