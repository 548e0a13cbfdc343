/// torch.nn.parallel.scatter_gather: a batch in pieces, and the results in one.
#pragma once
#include "../core/error.hpp"
#include "../core/list.hpp"
#include "../tensor/perform.hpp"
#include "../tensor/tensor.hpp"
#include <string>
#include <tuple>
#include <utility>

namespace lamina::parallel {

/// The items that a device gets.
struct Chunk {
  idx begin = 0, end = 0;
};
/// torch.chunk: as many pieces as there are devices, or fewer, all of ceil(batch / devices) items but for the last.
[[gnu::noinline]] inline lamina::detail::List<Chunk> chunks(idx batch, idx devices) {
  const idx size = (batch + devices - 1) / devices;
  lamina::detail::List<Chunk> result;
  for (idx begin = 0; begin < batch; begin += size)
    result.push_back({begin, begin + size < batch ? begin + size : batch});
  return result;
}

namespace detail {
template <class S, class Index> struct WithDynBatch;
template <class S, std::size_t... I> struct WithDynBatch<S, std::index_sequence<0, I...>> {
  using type = Shape<dyn, S::dims[int(I)]...>;
};
/// The shape type with the number of items left open.
template <class S>
using with_dyn_batch = typename WithDynBatch<S, std::make_index_sequence<std::size_t(S::dims.rank)>>::type;

inline std::size_t item_bytes(const Dims& dims, std::size_t element) {
  std::size_t bytes = element;
  for (int i = 1; i < dims.rank; ++i) bytes *= std::size_t(dims[i]);
  return bytes;
}
}  // namespace detail

/// A piece of dimension 0 of a tensor, in memory that allocate(bytes) gives.
template <class T, class S, class Allocate>
auto scatter(const Tensor<T, S>& x, const Chunk& chunk, const Allocate& allocate) {
  static_assert(S::dims.rank > 0, "lamina: DataParallel divides dimension 0, which this tensor lacks");
  Dims dims = x.dims();
  dims[0] = chunk.end - chunk.begin;
  const std::size_t item = detail::item_bytes(dims, sizeof(T)), bytes = item * std::size_t(dims[0]);
  Storage storage = allocate(bytes);
  Storage::copy_bytes(storage, 0, x.storage(), item * std::size_t(chunk.begin), bytes);
  return Tensor<T, detail::with_dyn_batch<S>>(std::move(storage), dims);
}
/// The items of one replica on the host: of a tensor a piece of dimension 0, of anything else a copy.
template <class X> auto scatter(const X& x, const Chunk& chunk) {
  if constexpr (is_tensor<X>) return scatter(x, chunk, [](std::size_t bytes) { return Storage::uninitialized(bytes); });
  else return X(x);
}

/// A piece of a result, without its type, and the item of the whole that it begins with.
struct Piece {
  const Storage* storage;
  Dims dims;
  idx begin = 0;
};
/// Copies a piece to its place in the whole, on whichever devices they are.
[[gnu::noinline]] inline void put(const Piece& piece, std::size_t element, const Storage& whole) {
  const std::size_t item = detail::item_bytes(piece.dims, element);
  Storage::copy_bytes(whole, item * std::size_t(piece.begin), *piece.storage, 0, item * std::size_t(piece.dims[0]));
}
/// Joins pieces of elements of that size on the host.
struct JoinOnHost {
  Storage operator()(const lamina::detail::List<Piece>& pieces, std::size_t element, std::size_t bytes) const {
    Storage whole = Storage::uninitialized(bytes);
    for (const Piece& piece : pieces) put(piece, element, whole);
    return whole;
  }
};

namespace detail {
/// Puts pieces behind one another. Returns the extents of the whole.
[[gnu::noinline]] inline Dims line_up(lamina::detail::List<Piece>& pieces) {
  Dims whole = pieces[0].dims;
  whole[0] = 0;
  for (Piece& piece : pieces) {
    for (int d = 1; d < whole.rank; ++d)
      if (piece.dims[d] != whole[d])
        throw shape_error(std::string((Text{} << "DataParallel: the results differ outside dimension 0: "
                                              << pieces[0].dims << " and " << piece.dims)
                                          .view()));
    piece.begin = whole[0];
    whole[0] += piece.dims[0];
  }
  return whole;
}

template <class Whole, class Get, class Results, class Join>
Whole gather_tensor(const Results& results, const Join& join, const Get& get) {
  static_assert(is_tensor<Whole>, "lamina: DataParallel gathers tensors and tuples of tensors");
  static_assert(Whole::shape_type::dims.rank > 0,
                "lamina: DataParallel cannot join results without dimensions: let the net return one value an item");
  lamina::detail::List<Piece> pieces;
  for (const auto& result : results) {
    const auto& tensor = get(*result);
    pieces.push_back({&tensor.storage(), tensor.dims()});
  }
  constexpr std::size_t element = sizeof(typename Whole::value_type);
  const Dims dims = line_up(pieces);
  return Whole(join(pieces, element, item_bytes(dims, element) * std::size_t(dims[0])), dims);
}
template <class T> inline constexpr bool is_tuple = false;
template <class... T> inline constexpr bool is_tuple<std::tuple<T...>> = true;
}  // namespace detail

/// The results of all devices, tensors or tuples of tensors, along dimension 0. `results` is a range of pointers to
/// them; join(pieces, bytes of an element, bytes of all) returns the whole.
template <class Whole, class Results, class Join = JoinOnHost>
Whole gather(const Results& results, const Join& join = {}) {
  if constexpr (detail::is_tuple<Whole>) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return Whole(detail::gather_tensor<std::tuple_element_t<I, Whole>>(
          results, join, [](const auto& result) -> const auto& { return std::get<I>(result); })...);
    }
    (std::make_index_sequence<std::tuple_size_v<Whole>>{});
  } else
    return detail::gather_tensor<Whole>(
        results, join, [](const auto& result) -> const auto& { return result; });
}

}  // namespace lamina::parallel
