/// Short names for long texts.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace lamina::gpu {

/// 64 bits of a text (FNV-1a), or of one behind another whose hash is given.
constexpr std::uint64_t hash_of(std::string_view text, std::uint64_t hash = 0xcbf29ce484222325) {
  for (const char c : text) hash = (hash ^ std::uint8_t(c)) * 0x100000001b3;
  return hash;
}

[[gnu::noinline]] inline std::string hexadecimal(std::uint64_t n) {
  std::string digits;
  for (; n != 0 || digits.empty(); n /= 16) digits.insert(digits.begin(), "0123456789abcdef"[n % 16]);
  return digits;
}

}  // namespace lamina::gpu
