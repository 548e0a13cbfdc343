/// An array whose length is known when it is made, legal in a constant expression. (std::vector would do, but for
/// resize() of libstdc++ 12, which clang does not accept in one.)
#pragma once
#include <cstddef>
#include <utility>

namespace lamina::detail {

/// n value-initialised elements.
template <class T> class Table {
  T* elements;
  int length;

 public:
  constexpr explicit Table(int n) : elements(new T[std::size_t(n) + 1]{}), length(n) {}
  constexpr Table(int n, const T& value) : Table(n) {
    for (int i = 0; i < n; ++i) elements[i] = value;
  }
  constexpr Table(Table&& other) noexcept
      : elements(std::exchange(other.elements, nullptr)), length(std::exchange(other.length, 0)) {}
  Table& operator=(Table&&) = delete;
  constexpr ~Table() { delete[] elements; }

  constexpr T& operator[](int i) { return elements[i]; }
  constexpr const T& operator[](int i) const { return elements[i]; }
  constexpr T* begin() { return elements; }
  constexpr T* end() { return elements + length; }
  constexpr const T* begin() const { return elements; }
  constexpr const T* end() const { return elements + length; }
  constexpr int size() const { return length; }
};

}  // namespace lamina::detail
