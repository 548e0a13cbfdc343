/// KernelSource text under construction.
#pragma once
#include "hash.hpp"
#include <bit>
#include <cstddef>

namespace lamina::gpu {

/// Text that grows by pieces. One call a piece: sums of strings compile to several times as much.
struct Code {
  std::string text{};

  [[gnu::cold, gnu::noinline]] Code& operator<<(std::string_view piece) {
    text += piece;
    return *this;
  }
  [[gnu::cold, gnu::noinline]] Code& operator<<(std::ptrdiff_t number) {
    text += std::to_string(number);
    return *this;
  }
  Code& operator<<(int number) { return *this << std::ptrdiff_t(number); }
  Code& operator<<(bool value) { return *this << std::string_view(value ? "true" : "false"); }
  Code& operator<<(const char* piece) { return *this << std::string_view(piece); }
  /// A float as it is, whatever the locale: 0x3p-1f for 1.5.
  [[gnu::cold, gnu::noinline]] Code& operator<<(float value) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value), exponent = bits >> 23 & 255;
    if (exponent == 255) return *this << "__builtin_bit_cast(float, 0x" << hexadecimal(bits) << "u)";
    std::uint32_t mantissa = (bits & 0x7fffff) | (exponent != 0 ? 0x800000 : 0);
    int power = (exponent != 0 ? int(exponent) : 1) - 150;
    while (mantissa != 0 && mantissa % 2 == 0) mantissa /= 2, ++power;
    return *this << (bits >> 31 != 0 ? "-0x" : "0x") << hexadecimal(mantissa) << "p" << power << "f";
  }
};

}  // namespace lamina::gpu
