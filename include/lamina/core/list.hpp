/// A growing array.
#pragma once
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <new>
#include <type_traits>
#include <utility>

namespace lamina::detail {

/// Elements side by side that grow at the end: the part of std::vector that most of lamina needs, under its names. It
/// compiles in half the time, which saves a program that loads and compiles a net a tenth of its own.
template <class T> class List {
  static_assert(std::is_nothrow_move_constructible_v<T> && alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
  T* first = nullptr;
  std::size_t count = 0, room = 0;

 public:
  List() = default;
  /// n elements with the values of T{}.
  explicit List(std::size_t n) : List() { resize(n); }
  List(std::initializer_list<T> elements) : List() { append(elements.begin(), elements.size()); }
  List(const List& other) : List() { append(other.first, other.count); }
  List(List&& other) noexcept : first(other.first), count(other.count), room(other.room) {
    other.first = nullptr;
    other.count = other.room = 0;
  }
  List& operator=(List other) noexcept {
    std::swap(first, other.first);
    std::swap(count, other.count);
    std::swap(room, other.room);
    return *this;
  }
  ~List() {
    clear();
    ::operator delete(first);
  }

  std::size_t size() const { return count; }
  bool empty() const { return count == 0; }
  T* data() { return first; }
  const T* data() const { return first; }
  T* begin() { return first; }
  const T* begin() const { return first; }
  T* end() { return first + count; }
  const T* end() const { return first + count; }
  T& operator[](std::size_t i) { return first[i]; }
  const T& operator[](std::size_t i) const { return first[i]; }
  T& back() { return first[count - 1]; }
  const T& back() const { return first[count - 1]; }

  friend bool operator==(const List& a, const List& b) {
    bool equal = a.count == b.count;
    for (std::size_t i = 0; equal && i < a.count; ++i) equal = a.first[i] == b.first[i];
    return equal;
  }

  void push_back(T element) {
    if (count == room) reserve(count + 1);
    new (first + count) T(std::move(element));
    ++count;
  }
  void pop_back() { first[--count].~T(); }
  /// Adds n elements of an array.
  void append(const T* elements, std::size_t n) {
    reserve(count + n);
    for (std::size_t i = 0; i < n; ++i) push_back(elements[i]);
  }
  /// New elements have the values of T{}.
  void resize(std::size_t n) {
    while (count > n) pop_back();
    reserve(n);
    while (count < n) push_back(T{});
  }
  void clear() {
    while (count > 0) pop_back();
  }

  /// Room for n elements, or for twice as many as there were. Throws std::bad_alloc.
  [[gnu::noinline, gnu::cold]] void reserve(std::size_t n) {
    if (n <= room) return;
    if (n < 2 * room) n = 2 * room;
    if (n > PTRDIFF_MAX / sizeof(T)) throw std::bad_array_new_length();
    T* const moved = static_cast<T*>(::operator new(n * sizeof(T)));
    for (std::size_t i = 0; i < count; ++i) {
      new (moved + i) T(std::move(first[i]));
      first[i].~T();
    }
    ::operator delete(first);
    first = moved;
    room = n;
  }
};

}  // namespace lamina::detail
