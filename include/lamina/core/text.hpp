/// Text made in constant expressions, and the one way in which lamina refuses a program: `fail<text>()` shows the
/// finished sentence near the top of what g++ and clang print.
#pragma once
#include "device.hpp"
#include "shape.hpp"
#include <string_view>

namespace lamina {

/// A string as a template argument.
template <std::size_t N> struct fixed_string {
  char chars[N]{};

  constexpr fixed_string() = default;
  constexpr fixed_string(const char (&text)[N]) {
    for (std::size_t i = 0; i < N; ++i) chars[i] = text[i];
  }
  constexpr std::string_view view() const { return {chars, N - 1}; }
  friend constexpr bool operator==(const fixed_string&, const fixed_string&) = default;
};
template <std::size_t N> fixed_string(const char (&)[N]) -> fixed_string<N>;

/// A sentence of bounded length, built with `<<`. What does not fit is cut.
struct Text {
  static constexpr int capacity = 320;
  char chars[capacity]{};
  int size = 0;

  constexpr bool empty() const { return size == 0; }
  constexpr std::string_view view() const { return {chars, std::size_t(size)}; }

  constexpr Text& operator<<(char c) {
    if (size < capacity) chars[size++] = c;
    return *this;
  }
  constexpr Text& operator<<(std::string_view text) {
    for (char c : text) *this << c;
    return *this;
  }
  constexpr Text& operator<<(const char* text) { return *this << std::string_view(text); }
  constexpr Text& operator<<(idx n) {
    if (n < 0) return *this << '-' << -n;
    if (n > 9) *this << n / 10;
    return *this << char('0' + n % 10);
  }
  constexpr Text& operator<<(int n) { return *this << idx(n); }
  constexpr Text& operator<<(const Dims& dims) {
    *this << '[';
    for (int i = 0; i < dims.rank; ++i) {
      if (i > 0) *this << ", ";
      if (dims[i] == dyn) *this << "dyn";
      else *this << dims[i];
    }
    return *this << ']';
  }
  /// As PyTorch writes it: cpu, cpu:1, cuda:0.
  constexpr Text& operator<<(const Device& device) {
    const bool host = device.kind == Device::Kind::cpu;
    *this << (host ? "cpu" : "cuda");
    return host && device.index == 0 ? *this : *this << ':' << device.index;
  }
  constexpr Text& operator<<(const Text& text) { return *this << text.view(); }
};

namespace detail {
// Clang elides strings of more than 36 characters in template arguments, so a sentence is shown in pieces that end at a
// space.
inline constexpr int piece_length = 35;

/// Where the piece that begins at `begin` ends.
constexpr int piece_end(const Text& text, int begin) {
  if (text.size - begin <= piece_length) return text.size;
  for (int end = begin + piece_length; end > begin; --end)
    if (text.chars[end - 1] == ' ') return end;
  return begin + piece_length;
}
constexpr int piece_count(const Text& text) {
  int n = 0;
  for (int at = 0; at < text.size; at = piece_end(text, at)) ++n;
  return n;
}
template <Text T, int Number> constexpr auto piece_of() {
  constexpr int begin = [] {
    int at = 0;
    for (int n = 0; n < Number; ++n) at = piece_end(T, at);
    return at;
  }();
  constexpr int length = piece_end(T, begin) - begin;
  fixed_string<std::size_t(length) + 1> piece;
  for (int i = 0; i < length; ++i) piece.chars[i] = T.chars[begin + i];
  piece.chars[length] = '\0';  // clang 19 prints an array as text only if its terminator was written
  return piece;
}
template <fixed_string... Sentence> struct lamina_error { static constexpr bool ok = false; };
template <Text T, class Index> struct pieces_of;
template <Text T, int... I> struct pieces_of<T, std::integer_sequence<int, I...>> {
  using type = lamina_error<piece_of<T, I>()...>;
};
template <class Error> constexpr void report() {
  static_assert(Error::ok, "lamina: read the sentence in lamina_error<...>");
}
}  // namespace detail

/// Stops compilation and shows the text. Nothing happens for an empty text. Where the text depends on no template
/// parameter, `Dependent` names the one that makes the call wait for its instantiation.
template <Text T, class... Dependent> constexpr void fail() {
  if constexpr (!T.empty())
    detail::report<typename detail::pieces_of<T, std::make_integer_sequence<int, detail::piece_count(T)>>::type>();
}

/// The name of a type as the compiler spells it, namespaces and template arguments included.
template <class T> constexpr std::string_view qualified_type_name() {
#if defined(__clang__)
  constexpr std::string_view function = __PRETTY_FUNCTION__, key = "T = ";
  const std::size_t begin = function.find(key) + key.size();
  return function.substr(begin, function.size() - 1 - begin);
#else
  constexpr std::string_view function = __PRETTY_FUNCTION__, key = "T = ";
  const std::size_t begin = function.find(key) + key.size();
  return function.substr(begin, function.find("; std::string_view", begin) - begin);
#endif
}

/// Class name without namespaces and template arguments, as Python's `type(module).__name__`: `ResNet`, `DoubleConv`.
template <class T> constexpr std::string_view class_name() {
  std::string_view name = qualified_type_name<T>();
  // The last '::' outside template arguments and parentheses (function-local types) ends the qualification.
  int depth = 0;
  std::size_t begin = 0, end = name.size();
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (c == '<' || c == '(' || c == '{') {
      if (depth++ == 0 && c == '<') end = i;
    } else if (c == '>' || c == ')' || c == '}') --depth;
    else if (depth == 0 && c == ':') begin = i + 1, end = name.size();
  }
  return name.substr(begin, end - begin);
}

/// The short form of a layer's type for error texts: class name and leading numbers, the rest as `...`:
/// `Linear<784, 256>`, `Conv2d<3, 64, ...>`.
template <class T> constexpr Text type_label() {
  const std::string_view name = qualified_type_name<T>(), own = class_name<T>();
  Text label;
  label << own;
  const std::size_t at = std::size_t(own.data() - name.data()) + own.size();
  if (at >= name.size() || name[at] != '<') return label;
  label << '<';
  std::size_t i = at + 1;
  for (int argument = 0; i < name.size(); ++argument) {
    std::size_t end = i;
    while (end < name.size() && name[end] >= '0' && name[end] <= '9') ++end;
    const bool number = end > i && end < name.size() && (name[end] == ',' || name[end] == '>');
    if (argument > 0) label << ", ";
    if (!number) {
      label << "...";
      break;
    }
    label << name.substr(i, end - i);
    if (name[end] == '>') break;
    i = end + 2;  // ", "
  }
  return label << '>';
}

}  // namespace lamina
