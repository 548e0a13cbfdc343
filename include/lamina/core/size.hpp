/// Options that PyTorch takes as one number, a pair or a word: kernel_size=3, stride=(2, 1), padding='same', size=None.
#pragma once
#include "shape.hpp"

namespace lamina {

/// Stands for Python's None in an option: `.output_size = {7, none}`.
inline constexpr int none = -1;

/// A height and a width, or one number for both; printed as it was written.
struct Size2 {
  int height = 0, width = 0;
  bool pair = false;

  constexpr Size2() = default;
  constexpr Size2(int both) : height(both), width(both) {}
  constexpr Size2(int height, int width) : height(height), width(width), pair(true) {}
  friend constexpr bool operator==(const Size2&, const Size2&) = default;
};

/// Two factors, or one for both.
struct Scale2 {
  double height = 0, width = 0;
  bool pair = false;

  constexpr Scale2() = default;
  constexpr Scale2(double both) : height(both), width(both) {}
  constexpr Scale2(double height, double width) : height(height), width(width), pair(true) {}
  constexpr bool given() const { return height > 0; }
  friend constexpr bool operator==(const Scale2&, const Scale2&) = default;
};

/// A number as a template argument, written with or without a point: `Dropout<0>`, `LeakyReLU<0.1>`.
struct Number {
  double value = 0;
  constexpr Number(double value) : value(value) {}
  constexpr Number(int value) : value(value) {}
  friend constexpr bool operator==(const Number&, const Number&) = default;
};

/// A number that may be absent: `.momentum = none` (PyTorch's None).
struct OptionalNumber {
  double value = 0;
  bool given = false;

  constexpr OptionalNumber() = default;
  constexpr OptionalNumber(double value) : value(value), given(true) {}
  constexpr OptionalNumber(int value) : value(value), given(value != none) {}
  friend constexpr bool operator==(const OptionalNumber&, const OptionalNumber&) = default;
};

namespace detail {
constexpr bool equal_words(const char* a, const char* b) {
  while (*a && *a == *b) ++a, ++b;
  return *a == *b;
}
}  // namespace detail

/// Padding of a convolution: numbers, "same" or "valid".
struct Padding {
  enum class Kind : unsigned char { numbers, same, valid };
  Size2 size{0};
  Kind kind = Kind::numbers;

  constexpr Padding() = default;
  constexpr Padding(int both) : size(both) {}
  constexpr Padding(int height, int width) : size(height, width) {}
  constexpr Padding(const char* word)
      : kind(detail::equal_words(word, "same")    ? Kind::same
             : detail::equal_words(word, "valid") ? Kind::valid
                                                  : throw "padding is a number, a pair, \"same\" or \"valid\"") {}
  friend constexpr bool operator==(const Padding&, const Padding&) = default;
};

}  // namespace lamina
