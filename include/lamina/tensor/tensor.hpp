/// Tensors: row-major elements behind a shared handle, and views of elements that somebody else owns.
#pragma once
#include "../core/dtype.hpp"
#include "../core/error.hpp"
#include "../core/text.hpp"
#include "storage.hpp"
#include <cstring>
#include <span>
#include <string>

namespace lamina {

namespace detail {
/// Throws shape_error unless extents known at run time fit those of a shape type.
[[gnu::noinline]] inline void require_fits(const Dims& declared, const Dims& dims, const char* what) {
  if (compatible(declared, dims) && is_static(dims)) return;
  throw shape_error(
      std::string((Text{} << what << ": the type says " << declared << ", the extents are " << dims).view()));
}
/// Throws device_error: `what` is on a device, and the host is about to read or write its elements.
[[noreturn, gnu::cold, gnu::noinline]] inline void refuse_on_host(const Text& what, const Dims& dims,
                                                                  const Device& device) {
  throw device_error(std::string((Text{} << what << ' ' << dims << " is on " << device
                                         << ", and its elements are wanted on the host: compile the model for the "
                                            "device, or move it with to(x, cpu{})")
                                     .view()));
}
constexpr idx offset_of(const Dims& dims, std::initializer_list<idx> at) {
  idx offset = 0;
  int i = 0;
  for (idx n : at) offset = offset * dims[i++] + n;
  return offset;
}
}  // namespace detail

/// Elements of type T (const T for read-only access) that somebody else owns, row-major, aligned as T is.
template <class T, shape S> class TensorView {
  T* elements = nullptr;
  Dims extents{};

 public:
  using value_type = std::remove_const_t<T>;
  using shape_type = S;

  TensorView(T* data, const Dims& dims) : elements(data), extents(dims) {
    detail::require_fits(S::dims, dims, "TensorView");
  }
  explicit TensorView(T* data) requires(is_static(S::dims)) : elements(data), extents(S::dims) {}

  T* data() const { return elements; }
  const Dims& dims() const { return extents; }
  idx size() const { return count(extents); }
  std::span<T> span() const { return {elements, std::size_t(size())}; }
  template <class... I>
  requires(sizeof...(I) == std::size_t(S::dims.rank)) T& operator()(I... at) const {
    return elements[detail::offset_of(extents, {idx(at)...})];
  }
};

/// A tensor of T with extents S. Copies share the elements, as in PyTorch; `clone()` copies them.
///   Tensor<float, Shape<1, 3, 224, 224>> x;            // zeros
///   Tensor<float, Shape<dyn, 10>> y({32, 10});         // dyn extents are given
///   y(3, 7) = 1;
/// The elements are zero-initialised, row-major and aligned to 64 bytes.
template <class T, shape S> class Tensor {
  static_assert(element<T>, "lamina: this is no element type of a tensor");
  Storage storage_;
  Dims extents{};

 public:
  using value_type = T;
  using shape_type = S;

  /// Zeros for a static shape; an empty handle where an extent is dyn.
  Tensor() {
    if constexpr (is_static(S::dims)) *this = Tensor(S::dims);
  }
  explicit Tensor(const Dims& dims) : extents(dims) {
    detail::require_fits(S::dims, dims, "Tensor");
    storage_ = Storage(std::size_t(count(dims)) * sizeof(T));
  }
  /// Shares elements that are already in memory: `storage` holds at least count(dims) of them.
  Tensor(Storage storage, const Dims& dims) : storage_(std::move(storage)), extents(dims) {
    detail::require_fits(S::dims, dims, "Tensor");
  }
  /// The same tensor under another shape type: what is known in both agrees at compile time, the rest is checked here.
  template <shape Other>
  requires(compatible(S::dims, Other::dims) && !std::is_same_v<S, Other>) Tensor(const Tensor<T, Other>& other)
      : Tensor(other.storage(), other.dims()) {}
  /// Copies the elements of a view.
  template <class U>
  requires std::is_same_v<std::remove_const_t<U>, T>
  explicit Tensor(const TensorView<U, S>& view) : Tensor(view.dims()) {
    if (view.size() > 0) std::memcpy(data(), view.data(), std::size_t(view.size()) * sizeof(T));
  }

  /// The elements, on the host; throws device_error if they are on a device, where storage().data() is their address.
  T* data() { return reinterpret_cast<T*>(host_bytes()); }
  const T* data() const { return reinterpret_cast<const T*>(host_bytes()); }
  const Dims& dims() const { return extents; }
  idx size() const { return storage_ ? count(extents) : 0; }
  std::span<T> span() { return {data(), std::size_t(size())}; }
  std::span<const T> span() const { return {data(), std::size_t(size())}; }
  TensorView<T, S> view() { return {data(), extents}; }
  TensorView<const T, S> view() const { return {data(), extents}; }
  const Storage& storage() const { return storage_; }
  Device device() const { return storage_.device(); }

  /// A copy on the same device.
  Tensor clone() const { return Tensor(storage_.clone(), extents); }
  Tensor& fill(T value) {
    if (storage_.memory()) Storage::copy_bytes(storage_, 0, Tensor(extents).fill(value).storage(), 0, storage_.bytes());
    else
      for (T& element : span()) element = value;
    return *this;
  }
  template <class... I>
  requires(sizeof...(I) == std::size_t(S::dims.rank)) T& operator()(I... at) {
    return data()[detail::offset_of(extents, {idx(at)...})];
  }
  template <class... I>
  requires(sizeof...(I) == std::size_t(S::dims.rank)) const T& operator()(I... at) const {
    return data()[detail::offset_of(extents, {idx(at)...})];
  }

 private:
  std::byte* host_bytes() const {
    if (storage_.memory()) detail::refuse_on_host(Text{} << "a tensor", extents, storage_.device());
    return storage_.data();
  }
};

template <class T> inline constexpr bool is_tensor = false;
template <class T, class S> inline constexpr bool is_tensor<Tensor<T, S>> = true;
template <class T> inline constexpr bool is_tensor_view = false;
template <class T, class S> inline constexpr bool is_tensor_view<TensorView<T, S>> = true;

}  // namespace lamina
