/// torch.nn.parallel.scatter_gather: a batch in pieces, and the results in one.
#pragma once
#include "../core/error.hpp"
#include "../tensor/perform.hpp"
#include "../tensor/tensor.hpp"
#include <cstring>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace lamina::parallel {

/// The items that a device gets.
struct Chunk {
  idx begin = 0, end = 0;
};
/// torch.chunk: as many pieces as there are devices, or fewer, all of ceil(batch / devices) items but for the last.
[[gnu::noinline]] inline std::vector<Chunk> chunks(idx batch, idx devices) {
  const idx size = (batch + devices - 1) / devices;
  std::vector<Chunk> result;
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

/// The items of one device: of a tensor a piece of dimension 0, of anything else a copy.
template <class X> auto scatter(const X& x, const Chunk& chunk) {
  if constexpr (is_tensor<X>) {
    static_assert(X::shape_type::dims.rank > 0, "lamina: DataParallel divides dimension 0, which this tensor lacks");
    using Piece = Tensor<typename X::value_type, detail::with_dyn_batch<typename X::shape_type>>;
    Dims dims = x.dims();
    dims[0] = chunk.end - chunk.begin;
    const std::size_t item = detail::item_bytes(dims, sizeof(typename X::value_type));
    Storage storage = Storage::uninitialized(item * std::size_t(dims[0]));
    if (storage.bytes() > 0)
      std::memcpy(storage.data(), reinterpret_cast<const std::byte*>(x.data()) + item * std::size_t(chunk.begin),
                  storage.bytes());
    return Piece(std::move(storage), dims);
  } else return X(x);
}

namespace detail {
/// Where a piece of a result lies, without its type.
struct Piece {
  const std::byte* data;
  Dims dims;
};
/// The pieces behind one another; `dims` becomes those of the whole.
[[gnu::noinline]] inline Storage join(const std::vector<Piece>& pieces, std::size_t element, Dims& dims) {
  dims = pieces[0].dims;
  for (std::size_t i = 1; i < pieces.size(); ++i) {
    Dims other = pieces[i].dims;
    for (int d = 1; d < dims.rank; ++d)
      if (other[d] != dims[d])
        throw shape_error(std::string(
            (Text{} << "DataParallel: the results differ outside dimension 0: " << pieces[0].dims << " and " << other)
                .view()));
    dims[0] += other[0];
  }
  Storage whole = Storage::uninitialized(item_bytes(dims, element) * std::size_t(dims[0]));
  std::byte* to = whole.data();
  for (const Piece& piece : pieces) {
    const std::size_t bytes = item_bytes(piece.dims, element) * std::size_t(piece.dims[0]);
    if (bytes > 0) std::memcpy(to, piece.data, bytes);
    to += bytes;
  }
  return whole;
}

template <class Whole, class Get, class Results> Whole gather_tensor(const Results& results, const Get& get) {
  static_assert(is_tensor<Whole>, "lamina: DataParallel gathers tensors and tuples of tensors");
  static_assert(Whole::shape_type::dims.rank > 0,
                "lamina: DataParallel cannot join results without dimensions: let the net return one value an item");
  std::vector<Piece> pieces;
  for (const auto& result : results) {
    const auto& tensor = get(*result);
    pieces.push_back({reinterpret_cast<const std::byte*>(tensor.data()), tensor.dims()});
  }
  Dims dims;
  Storage storage = join(pieces, sizeof(typename Whole::value_type), dims);
  return Whole(std::move(storage), dims);
}
template <class T> inline constexpr bool is_tuple = false;
template <class... T> inline constexpr bool is_tuple<std::tuple<T...>> = true;
}  // namespace detail

/// The results of all devices, tensors or tuples of tensors, joined along dimension 0. `results` is a range of
/// pointers to them.
template <class Whole, class Results> Whole gather(const Results& results) {
  if constexpr (detail::is_tuple<Whole>) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return Whole(detail::gather_tensor<std::tuple_element_t<I, Whole>>(
          results, [](const auto& result) -> const auto& { return std::get<I>(result); })...);
    }
    (std::make_index_sequence<std::tuple_size_v<Whole>>{});
  } else
    return detail::gather_tensor<Whole>(
        results, [](const auto& result) -> const auto& { return result; });
}

}  // namespace lamina::parallel
