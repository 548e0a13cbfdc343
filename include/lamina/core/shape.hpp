/// Extents of tensors: `Dims` as values, `Shape` as types. Every shape rule is one constexpr function on `Dims`; the
/// shape type of a result is the same function applied to `Shape::dims`, so what is `dyn` in a type stays `dyn`.
#pragma once
#include <cstddef>
#include <initializer_list>
#include <utility>

namespace lamina {

/// Signed index and extent type of the library.
using idx = std::ptrdiff_t;

/// An extent that is known only at run time.
inline constexpr idx dyn = -1;

/// Largest number of dimensions of a tensor.
inline constexpr int max_rank = 6;

/// Extents of a tensor, outermost first. Unused entries are zero, so that the defaulted comparison is the right one.
struct Dims {
  idx extent[max_rank]{};
  int rank = 0;

  constexpr Dims() = default;
  constexpr Dims(std::initializer_list<idx> list) {
    for (idx n : list) extent[rank++] = n;
  }
  constexpr idx operator[](int i) const { return extent[i]; }
  constexpr idx& operator[](int i) { return extent[i]; }
  constexpr const idx* begin() const { return extent; }
  constexpr const idx* end() const { return extent + rank; }
  friend constexpr bool operator==(const Dims&, const Dims&) = default;
};

/// True if no extent is `dyn`.
constexpr bool is_static(const Dims& dims) {
  for (idx n : dims)
    if (n == dyn) return false;
  return true;
}

/// Product of two extents; `dyn` if either is.
constexpr idx multiply(idx a, idx b) { return a == dyn || b == dyn ? dyn : a * b; }

/// Product of the extents [first, last); `dyn` if one of them is. 1 for an empty range.
constexpr idx product(const Dims& dims, int first, int last) {
  idx n = 1;
  for (int i = first; i < last; ++i) n = multiply(n, dims[i]);
  return n;
}

/// Number of elements; `dyn` if an extent is.
constexpr idx count(const Dims& dims) { return product(dims, 0, dims.rank); }

/// True if a tensor of extents `actual` may be used where `expected` is asked for: equal, or `dyn` on either side.
constexpr bool compatible(idx expected, idx actual) { return expected == actual || expected == dyn || actual == dyn; }
constexpr bool compatible(const Dims& expected, const Dims& actual) {
  if (expected.rank != actual.rank) return false;
  for (int i = 0; i < expected.rank; ++i)
    if (!compatible(expected[i], actual[i])) return false;
  return true;
}

/// Dimension number as PyTorch counts it: negative from the back.
constexpr int wrap_dim(int dim, int rank) { return dim < 0 ? dim + rank : dim; }

/// Extents as a type: `Shape<dyn, 3, 224, 224>`.
template <idx... Extents> struct Shape {
  static_assert(sizeof...(Extents) <= max_rank, "lamina: a tensor has at most 6 dimensions");
  static_assert(((Extents >= 0 || Extents == dyn) && ...), "lamina: an extent is a number from 0 up, or lamina::dyn");
  static constexpr Dims dims{Extents...};
};

namespace detail {
template <Dims D, class Index> struct expand_shape;
template <Dims D, std::size_t... I> struct expand_shape<D, std::index_sequence<I...>> {
  using type = Shape<D.extent[I]...>;
};
// A struct between the alias and D.rank: g++ 12 crashes on make_index_sequence<D.rank> written in the alias itself.
template <Dims D> struct shape_from_dims : expand_shape<D, std::make_index_sequence<std::size_t(D.rank)>> {};
template <class T> inline constexpr bool is_shape = false;
template <idx... Extents> inline constexpr bool is_shape<Shape<Extents...>> = true;
}  // namespace detail

/// The shape type of constant extents.
template <Dims D> using shape_of = typename detail::shape_from_dims<D>::type;

/// `Shape<...>`, and nothing else.
template <class T>
concept shape = detail::is_shape<T>;

}  // namespace lamina
