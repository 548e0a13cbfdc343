/// The checksum of zip files against its definition.
#include <catch2/catch_test_macros.hpp>
#include <lamina/io/crc32.hpp>
#include <string>

namespace {
/// Bit by bit: the reflected polynomial 0xEDB88320 (ISO 3309).
std::uint32_t by_definition(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffu;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1u ? 0xedb88320u : 0u);
  }
  return ~crc;
}
}  // namespace

TEST_CASE("the checksum is CRC-32 at every length and alignment") {
  CHECK(lamina::io::crc32("123456789") == 0xcbf43926u);  // the check value of the catalogue of CRC algorithms
  std::string bytes;
  std::uint32_t state = 1;
  for (int i = 0; i < 20000; ++i) bytes += static_cast<char>((state = state * 1664525u + 1013904223u) >> 24);
  const std::string_view all = bytes;
  for (std::size_t size = 0; size < 300; ++size) {
    const std::string_view part = all.substr(size % 17, size);
    REQUIRE(lamina::io::crc32(part) == by_definition(part));
  }
  for (const std::size_t size : {4095u, 4096u, 4097u, 5000u, 19983u}) {
    const std::string_view part = all.substr(3, size);
    REQUIRE(lamina::io::crc32(part) == by_definition(part));
  }
}
