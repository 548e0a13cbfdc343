/// Text in Python's notation: what a layer's own text is written with.
#pragma once
#include "../core/size.hpp"
#include <charconv>
#include <concepts>
#include <string>
#include <string_view>

namespace lamina {

/// The writer that a layer gets in `static void extra_repr(auto& out)`. Values appear as Python's str() shows them:
/// True, 0.1, 1e-05, None, (3, 3).
class PythonText {
  std::string chars;

 public:
  std::string_view view() const { return chars; }
  std::string take() { return std::move(chars); }

  PythonText& operator<<(std::string_view text) {
    chars += text;
    return *this;
  }
  PythonText& operator<<(const char* text) { return *this << std::string_view(text); }
  PythonText& operator<<(char c) {
    chars += c;
    return *this;
  }
  PythonText& operator<<(bool value) { return *this << (value ? "True" : "False"); }
  template <std::integral T> PythonText& operator<<(T value) {
    char digits[24];
    return *this << std::string_view(digits,
                                     std::size_t(std::to_chars(digits, digits + sizeof digits, value).ptr - digits));
  }
  /// The shortest text that reads back as the same number; an exponent below 1e-4 and from 1e16 on.
  PythonText& operator<<(double value);
  /// One number or a pair, as it was given.
  PythonText& operator<<(const Size2& size) { return write(size.pair, extent(size.height), extent(size.width)); }
  PythonText& operator<<(const Scale2& scale) { return write(scale.pair, scale.height, scale.width); }
  PythonText& operator<<(const OptionalNumber& number) {
    return number.given ? *this << number.value : *this << "None";
  }

 private:
  struct Extent {
    int value;
  };
  static Extent extent(int value) { return {value}; }
  PythonText& operator<<(Extent e) { return e.value == none ? *this << "None" : *this << e.value; }
  template <class T> PythonText& write(bool pair, const T& height, const T& width) {
    return pair ? *this << '(' << height << ", " << width << ')' : *this << height;
  }
};

inline PythonText& PythonText::operator<<(double value) {
  char buffer[32];
  const auto shortest = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  const std::string_view text(buffer, std::size_t(shortest.ptr - buffer));
  const std::size_t e = text.find('e');
  if (e == text.npos)
    return *this << text.substr(text.front() == '-' && text.back() == 'n');  // inf, -inf; nan has no sign
  int exponent = 0;
  std::from_chars(buffer + e + (text[e + 1] == '+' ? 2 : 1), shortest.ptr, exponent);
  if (exponent < -4 || exponent >= 16) return *this << text;

  std::string_view mantissa = text.substr(0, e);
  if (mantissa.front() == '-') *this << '-', mantissa.remove_prefix(1);
  std::string digits(mantissa.substr(0, 1));
  if (mantissa.size() > 2) digits += mantissa.substr(2);
  if (exponent < 0) return *this << "0." << std::string(std::size_t(-exponent - 1), '0') << digits;
  const std::size_t whole = std::size_t(exponent) + 1;
  if (digits.size() <= whole) return *this << digits << std::string(whole - digits.size(), '0') << ".0";
  return *this << std::string_view(digits).substr(0, whole) << '.' << std::string_view(digits).substr(whole);
}

}  // namespace lamina
