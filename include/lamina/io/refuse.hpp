/// The one way in which a weight file is refused: an error that names the file, the place in it and the reason.
#pragma once
#include "../core/error.hpp"
#include "bytes.hpp"
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace lamina::io {

/// A piece of a message: text, a number, or a name from a file. Messages are lists of pieces because strings added up
/// in every place that refuses something were half of the machine code of this folder.
class Piece {
  enum Form : std::uint8_t { plain, escaped, in_quotes, number, negative };
  union {
    const char* characters;
    std::uint64_t magnitude;
  };
  std::uint32_t length = 0;  // of text: with 32 bits a piece fits two registers
  Form form;

  constexpr Piece(std::string_view text, Form as)
      : characters(text.data()), length(static_cast<std::uint32_t>(text.size())), form(as) {}

 public:
  constexpr Piece(const char* text) : Piece(std::string_view(text), plain) {}
  constexpr Piece(std::string_view text) : Piece(text, plain) {}
  Piece(const std::string& text) : Piece(text, plain) {}
  template <class Integer>
  requires std::is_integral_v<Integer>
  constexpr Piece(Integer value)
      : magnitude(value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value)),
        form(value < 0 ? negative : number) {}

  /// A name from a file as it is safe to print: without control characters and bytes that are no
  /// UTF-8, at most about 120 bytes.
  friend constexpr Piece printable(std::string_view name) { return {name, escaped}; }
  /// The same in double quotes. (A name of its own: std::quoted would be found for a std::string, by its argument.)
  friend constexpr Piece quoted_name(std::string_view name) { return {name, in_quotes}; }

  [[gnu::cold]] void append_to(std::string& text) const {
    switch (form) {
    case plain: text.append(characters, length); return;
    case escaped: return append_escaped(text, {characters, length});
    case in_quotes: append_escaped(text += '"', {characters, length}), text += '"'; return;
    case number: text += std::to_string(magnitude); return;
    case negative: (text += '-') += std::to_string(magnitude);
    }
  }

 private:
  [[gnu::cold]] static void append_escaped(std::string& text, std::string_view name) {
    constexpr std::size_t longest = 120;
    constexpr char digits[] = "0123456789abcdef";
    std::size_t kept = name.size();
    if (kept > longest) {
      kept = longest;
      while (kept > 0 && (static_cast<unsigned char>(name[kept]) & 0xc0u) == 0x80u) --kept;  // no half UTF-8 characters
    }
    const unsigned beyond = is_utf8(name.substr(0, kept)) ? 0x100 : 0x80;  // bytes from here on are no text
    for (const char c : name.substr(0, kept)) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x20 || byte == 0x7f || byte >= beyond) ((text += "\\x") += digits[byte >> 4]) += digits[byte & 15u];
      else text += c;
    }
    if (kept < name.size()) text += "...";
  }
};
constexpr Piece printable(std::string_view name);
constexpr Piece quoted_name(std::string_view name);
using Message = std::initializer_list<Piece>;

/// The message as text.
[[gnu::cold, gnu::noinline]] inline std::string text_of(Message message) {
  std::string text;
  for (const Piece& piece : message) piece.append_to(text);
  return text;
}

/// Throws checkpoint_error with the text `file: where: why`; an empty `where` means the file as a whole.
[[noreturn, gnu::cold, gnu::noinline]] inline void refuse(std::string_view file, Message where, Message why) {
  const std::string place = text_of(where), reason = text_of(why);
  throw checkpoint_error(text_of({file, ": ", place, place.empty() ? "" : ": ", reason}));
}
/// The same for one piece and a plain text: most refusals, which take the fewest instructions this way.
[[noreturn, gnu::cold, gnu::noinline]] inline void refuse(std::string_view file, Piece where, const char* why) {
  refuse(file, Message{where}, Message{why});
}

}  // namespace lamina::io
