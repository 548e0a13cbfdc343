/// The JSON of weight files.
#pragma once
#include "bytes.hpp"
#include "refuse.hpp"
#include <cstdint>
#include <string>
#include <string_view>

namespace lamina::io {

/// Reads JSON (RFC 8259) whose form is known beforehand, front to back: any white space and any escapes are taken. What
/// is not asked for can be skipped. Everything unexpected throws checkpoint_error with its place.
class JsonReader {
 public:
  /// `start` is where the text begins in the file.
  [[gnu::cold]] JsonReader(std::string_view file, std::string_view text, std::size_t start)
      : file_(file), json_(text), start_(start) {
    if (json_.empty() || json_[0] != '{') fail("does not begin with {");
    if (!is_utf8(json_)) fail("is not UTF-8");
  }

  [[noreturn, gnu::cold, gnu::noinline]] void fail(Message why) const {
    refuse(file_, {start_ == 0 ? "byte " : "header: byte ", start_ + at_}, why);
  }
  [[noreturn, gnu::cold, gnu::noinline]] void fail(const char* why) const { fail(Message{why}); }

  [[gnu::cold]] void skip_space() {
    while (at_ < json_.size() && (json_[at_] == ' ' || json_[at_] == '\t' || json_[at_] == '\n' || json_[at_] == '\r'))
      ++at_;
  }
  [[gnu::noinline, gnu::cold]] bool accept(char c) {
    skip_space();
    if (at_ >= json_.size() || json_[at_] != c) return false;
    ++at_;
    return true;
  }
  [[gnu::noinline, gnu::cold]] void expect(char c) {
    if (!accept(c)) fail({"expected ", std::string_view(&c, 1)});
  }
  /// Whether the object or array that opens here has a first item, and whether it has another one.
  bool first(char open, char close) {
    expect(open);
    return !accept(close);
  }
  bool another(char close) {
    if (accept(',')) return true;
    expect(close);
    return false;
  }
  [[gnu::cold]] std::string key() {
    std::string name = string();
    expect(':');
    return name;
  }

  /// A plain non-negative integer: no sign, no fraction, no exponent, no leading zero.
  [[gnu::noinline, gnu::cold]] std::uint64_t number() {
    skip_space();
    const std::size_t begin = at_;
    std::uint64_t value = 0;
    for (; at_ < json_.size() && json_[at_] >= '0' && json_[at_] <= '9'; ++at_)
      if (__builtin_mul_overflow(value, 10u, &value) ||
          __builtin_add_overflow(value, unsigned(json_[at_] - '0'), &value))
        fail("a number beyond 64 bits");
    const bool fraction = at_ < json_.size() && (json_[at_] == '.' || json_[at_] == 'e' || json_[at_] == 'E');
    if (at_ == begin || fraction || (json_[begin] == '0' && at_ - begin > 1))
      fail("expected a plain non-negative integer");
    return value;
  }

  [[gnu::noinline, gnu::cold]] std::string string() {
    expect('"');
    std::string result;
    for (;;) {
      if (at_ >= json_.size()) fail("a string without an end");
      const char c = json_[at_++];
      if (c == '"') return result;
      if (static_cast<unsigned char>(c) < 0x20) fail("a control character in a string");
      if (c == '\\') escape(result);
      else result += c;
    }
  }
  /// Steps over a value of any kind.
  [[gnu::cold]] void skip_value(int depth = 0) {
    if (depth > 100) fail("values are nested more than 100 levels deep");
    skip_space();
    const char c = at_ < json_.size() ? json_[at_] : '\0';
    if (c == '{') {
      for (bool more = first('{', '}'); more; more = another('}')) key(), skip_value(depth + 1);
    } else if (c == '[') {
      for (bool more = first('[', ']'); more; more = another(']')) skip_value(depth + 1);
    } else if (c == '"') {
      string();
    } else {  // a number, true, false, null
      const std::size_t begin = at_;
      while (at_ < json_.size() && is_literal(json_[at_])) ++at_;
      if (at_ == begin) fail("expected a value");
    }
  }

  /// Refuses what follows the value.
  [[gnu::cold]] void end() {
    skip_space();
    if (at_ != json_.size()) fail("something follows the closing }");
  }

 private:
  std::string_view file_, json_;
  std::size_t at_ = 0, start_;

  static constexpr bool is_literal(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == 'E' || c == '+' || c == '-' || c == '.';
  }
  [[gnu::cold]] void escape(std::string& result) {
    constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    const char c = at_ < json_.size() ? json_[at_++] : '\0';
    if (c != 'u') {
      const std::size_t index = letters.find(c);
      if (index == letters.npos) fail("an unknown escape in a string");
      result += meanings[index];
      return;
    }
    std::uint32_t code = code_unit();
    if (code >= 0xd800 && code < 0xe000) {
      const bool paired = code < 0xdc00 && json_.substr(at_, 2) == "\\u";
      if (paired) at_ += 2;
      const std::uint32_t low = paired ? code_unit() : 0;
      if (low < 0xdc00 || low >= 0xe000) fail("half a surrogate pair in a string");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    const int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;  // bytes after the first, in UTF-8
    constexpr unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};
    result += static_cast<char>(leads[more] | code >> (6 * more));
    for (int i = more; i-- > 0;) result += static_cast<char>(0x80 | (code >> (6 * i) & 0x3f));
  }
  [[gnu::cold]] std::uint32_t code_unit() {
    std::uint32_t unit = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = at_ < json_.size() ? json_[at_++] : '\0';
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) fail("\\u without four hexadecimal digits");
      unit = unit << 4 | static_cast<std::uint32_t>(digit);
    }
    return unit;
  }
};

}  // namespace lamina::io
