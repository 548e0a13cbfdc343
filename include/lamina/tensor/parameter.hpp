/// Parameters and buffers: what a layer learns or remembers, and what a checkpoint stores.
#pragma once
#include "tensor.hpp"

namespace lamina {

/// Options of a buffer.
enum class Persistence : bool { transient, persistent };

namespace detail {
/// Elements of a static shape on the heap, allocated at the first write. Empty in a constant expression, so that a
/// default-constructed model is a constant. Copies are deep: a copied model shares nothing with its source.
template <class S, class T> class ParameterStorage {
  static_assert(shape<S> && is_static(S::dims), "lamina: a parameter has a static shape");
  static_assert(element<T>, "lamina: this is no element type of a parameter");
  Storage storage_;

 public:
  using value_type = T;
  using shape_type = S;
  static constexpr Dims dims = S::dims;
  static constexpr idx size = count(S::dims);

  constexpr ParameterStorage() = default;
  constexpr ParameterStorage(ParameterStorage&&) noexcept = default;
  constexpr ParameterStorage& operator=(ParameterStorage&&) noexcept = default;
  constexpr ParameterStorage(const ParameterStorage& other) {
    if (other.storage_) storage_ = other.storage_.clone();
  }
  constexpr ParameterStorage& operator=(const ParameterStorage& other) {
    if (this == &other) return *this;
    storage_ = Storage();
    if (other.storage_) storage_ = other.storage_.clone();
    return *this;
  }

  /// False until the first write: loading, initialising, or taking data() of a mutable parameter.
  constexpr bool has_values() const { return bool(storage_); }
  /// The elements for writing, on the host. Allocates zeros at the first call; every call counts as a write. Throws
  /// device_error if they are on a device, where storage().data() is their address.
  T* data() {
    if (!storage_) storage_ = Storage(std::size_t(size) * sizeof(T));
    T* const elements = reinterpret_cast<T*>(host_bytes());
    storage_.written();
    return elements;
  }
  /// The elements; null before the first write.
  const T* data() const { return reinterpret_cast<const T*>(host_bytes()); }
  std::span<T> span() { return {data(), std::size_t(size)}; }
  std::span<const T> span() const { return {data(), has_values() ? std::size_t(size) : 0}; }
  constexpr const Storage& storage() const { return storage_; }
  constexpr Storage& storage() { return storage_; }
  std::uint64_t version() const { return storage_.version(); }

 private:
  std::byte* host_bytes() const {
    if (storage_.memory()) refuse_on_host(Text{} << "a parameter", S::dims, storage_.device());
    return storage_.data();
  }
};
}  // namespace detail

/// A learned tensor: counted by parameter_count, listed by named_parameters, stored in checkpoints
/// (torch.nn.Parameter).
template <class S, class T = float> struct Parameter : detail::ParameterStorage<S, T> {
  bool requires_grad = true;  ///< whether training changes it; `requires_grad_` freezes parts of a model
};

/// A remembered tensor that is not learned: running statistics (Module.register_buffer). A transient one is not stored.
template <class S, class T = float, Persistence P = Persistence::persistent>
struct Buffer : detail::ParameterStorage<S, T> {
  static constexpr bool persistent = P == Persistence::persistent;
};

namespace detail {
/// True for what a checkpoint holds: parameters, and buffers unless they are transient.
template <class P> inline constexpr bool is_saved = true;
template <class S, class T> inline constexpr bool is_saved<Buffer<S, T, Persistence::transient>> = false;
}  // namespace detail

/// Stands where an option leaves a parameter out: `bias = false`.
struct Absent {};

/// A parameter or buffer that is there if `Has`.
template <bool Has, class P> using optional_parameter = std::conditional_t<Has, P, Absent>;

template <class T> inline constexpr bool is_parameter = false;
template <class S, class T> inline constexpr bool is_parameter<Parameter<S, T>> = true;
template <class T> inline constexpr bool is_buffer = false;
template <class S, class T, Persistence P> inline constexpr bool is_buffer<Buffer<S, T, P>> = true;

/// A parameter or a buffer.
template <class T>
concept stored = is_parameter<std::remove_const_t<T>> || is_buffer<std::remove_const_t<T>>;

}  // namespace lamina
