/// The one way in which a weight file is refused: an error that names the file, the place in it and the reason.
#pragma once
#include "../core/error.hpp"
#include <cstddef>
#include <string>
#include <string_view>

namespace lamina::io {

/// A name from a file as it is safe to print: without control characters, at most about 120 bytes.
inline std::string printable(std::string_view text) {
  constexpr std::size_t longest = 120;
  constexpr char digits[] = "0123456789abcdef";
  std::size_t kept = text.size();
  if (kept > longest) {
    kept = longest;
    while (kept > 0 && (static_cast<unsigned char>(text[kept]) & 0xc0u) == 0x80u) --kept; // no half UTF-8 characters
  }
  std::string result;
  for (const char c : text.substr(0, kept)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f)
      ((result += "\\x") += digits[byte >> 4]) += digits[byte & 15u];
    else
      result += c;
  }
  return kept < text.size() ? result + "..." : result;
}

/// The same in double quotes.
inline std::string quoted(std::string_view text) { return "\"" + printable(text) + "\""; }

/// Throws checkpoint_error with the text `file: where: why`; an empty `where` means the file as a whole.
[[noreturn]] inline void refuse(std::string_view file, std::string_view where, std::string_view why) {
  std::string text(file);
  if (!where.empty()) (text += ": ") += where;
  throw checkpoint_error((text += ": ") += why);
}

} // namespace lamina::io
