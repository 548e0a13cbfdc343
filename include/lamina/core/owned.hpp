/// An object on the heap with one owner.
#pragma once
#include <utility>

namespace lamina::detail {

/// Owns an object, or nothing; a move hands it on. std::unique_ptr would be the same, but <memory> brings streams and
/// locales along: 9 MB of every program.
template <class T> class Owned {
  T* object = nullptr;

 public:
  Owned() = default;
  explicit Owned(T* made) noexcept : object(made) {}
  Owned(Owned&& other) noexcept : object(other.release()) {}
  Owned& operator=(Owned other) noexcept {
    std::swap(object, other.object);
    return *this;
  }
  ~Owned() { delete object; }

  explicit operator bool() const { return object != nullptr; }
  T& operator*() const { return *object; }
  T* operator->() const { return object; }
  /// The object, which belongs to the caller from now on.
  T* release() { return std::exchange(object, nullptr); }
};

}  // namespace lamina::detail
