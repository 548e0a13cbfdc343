/// Numbers and text in the bytes of a file, whatever the alignment and the byte order of this machine.
#pragma once
#include <bit>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace lamina::io {

/// The little-endian unsigned integer in the first sizeof(T) bytes of `bytes`, which must hold that many.
template <class T> T little_endian(std::string_view bytes) {
  T value = 0;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(&value, bytes.data(), sizeof(T));  // one load; g++ 12 does not see it in the loop below
  } else {
    for (std::size_t i = 0; i < sizeof(T); ++i)
      value |= static_cast<T>(static_cast<T>(static_cast<unsigned char>(bytes[i])) << (8 * i));
  }
  return value;
}

/// The big-endian unsigned integer in the first sizeof(T) bytes of `bytes`, which must hold that many.
template <class T> constexpr T big_endian(std::string_view bytes) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>(value << 8 | static_cast<unsigned char>(bytes[i]));
  return value;
}

/// Whether the bytes are UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
constexpr bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const unsigned lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xc2 ? 0
                               : lead < 0xe0 ? 2
                               : lead < 0xf0 ? 3
                               : lead < 0xf5 ? 4
                                             : 0;
    if (length == 0 || length > text.size() - i) return false;
    for (std::size_t k = 1; k < length; ++k) {
      const unsigned byte = static_cast<unsigned char>(text[i + k]);
      // The second byte has a narrower range after the four leads at the edges of the valid code points.
      const unsigned lowest = k > 1 ? 0x80 : lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
      const unsigned highest = k > 1 ? 0xbf : lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
      if (byte < lowest || byte > highest) return false;
    }
    i += length;
  }
  return true;
}

}  // namespace lamina::io
