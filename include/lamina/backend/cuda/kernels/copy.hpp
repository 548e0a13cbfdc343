/// Copies, between layouts, element types and extents; aliases that got memory of their own.
#pragma once
#include "elementwise.hpp"

namespace lamina::gpu {

namespace detail {
/// The type through which elements go: integers and equal types stay exact.
[[gnu::cold]] inline std::string_view copied_type(const KernelCall& call) {
  const auto is_float = [](Dtype d) { return d == Dtype::float32 || d == Dtype::float16 || d == Dtype::bfloat16; };
  const bool changes = call.has_residual || call.activation.kind != ops::Activation::Kind::identity;
  const Dtype from = call.operands[0].dtype, to = call.out.dtype;
  if (changes || (from != to && (is_float(from) || is_float(to)))) return "float";
  return from == to ? "Y" : "long long";
}

/// Tiles go through shared memory, so that both sides are read and written along their rows. A row of the source is a
/// column of the result.
inline constexpr std::string_view transpose_body = R"(
  __shared__ Value tile[32][33];
  const index column = threadIdx.x % 32, row = threadIdx.x / 32;
  for (index t = blockIdx.x; t < tiles; t += step / threads) {
    const index image = t / (across * down), left = t % across * 32, top = t / across % down * 32;
    const X0* const from = x0 + image * rows * columns;
    for (index i = row; i < 32; i += 8)
      if (top + i < columns && left + column < rows)
        tile[i][column] = to<Value>(from[(top + i) * rows + left + column]);
    __syncthreads();
    for (index i = row; i < 32; i += 8)
      if (left + i < rows && top + column < columns) {
        Value v[1] = {tile[column][i]};
        put(y, residual, (image * rows + left + i) * columns + top + column, v);
      }
    __syncthreads();
  }
)";

/// [N, C, H, W] <-> [N, H, W, C]
[[gnu::cold]] inline Kernel transpose(const KernelCall& call) {
  constexpr idx tile = 32;
  const Dims& dims = call.out.dims;
  const bool to_last = is_channels_last(call.out);
  const idx area = dims[2] * dims[3], rows = to_last ? area : dims[1], columns = to_last ? dims[1] : area;
  const idx across = (rows + tile - 1) / tile, down = (columns + tile - 1) / tile, tiles = dims[0] * across * down;
  KernelSource source(call);
  source.type("Value", copied_type(call));
  source.constant("rows", rows);
  source.constant("columns", columns);
  source.constant("across", across);
  source.constant("down", down);
  source.constant("tiles", tiles);
  source.body << transpose_body;
  return source.kernel("transpose", tiles * 256);
}

inline bool is_planar(const KernelTensor& x) { return !is_channels_last(x) || is_one_order(x.dims); }

/// Operand and result are of the same extents.
[[gnu::cold]] inline Kernel copy(const KernelCall& call) {
  const KernelTensor &x = call.operands[0], &y = call.out;
  constexpr idx least = 8;  // below this a tile is mostly empty
  if (is_planar(x) != is_planar(y) && x.dims[1] >= least && x.dims[2] * x.dims[3] >= least) return transpose(call);
  KernelSource source(call);
  return elementwise("copy", source, operands_of(source), "a[k]", copied_type(call));
}

/// Elements in their row-major order, under extents of two kinds.
[[gnu::cold]] inline Kernel rearrange(const KernelCall& call) {
  const KernelTensor &x = call.operands[0], &y = call.out;
  const Axes from = axes_over({x}, {x.dims}), to = axes_over({{y.dims}}, y);
  KernelSource source(call);
  source.type("Value", copied_type(call));
  source.function("number_of", "at", to.offset(0, "at"));
  source.function("source_of", "number", from.offset(0, "number"));
  source.body << "  for (index i = first(); i < " << count(y.dims) << R"(; i += step) {
    Value v[1] = {to<Value>(x0[source_of(number_of(i))])};
    put(y, residual, i, v);
  }
)";
  return source.kernel("rearrange", count(y.dims));
}

/// A tensor in row-major order is one under any extents.
[[gnu::cold]] inline Kernel alias(const KernelCall& call) {
  KernelTensor x = call.operands[0];
  KernelCall renamed = call;
  if (is_planar(x)) x = {call.out.dims, x.dtype};
  else if (is_planar(call.out) && !call.has_residual) renamed.out = {x.dims, call.out.dtype};
  if (x.dims != renamed.out.dims) return rearrange(call);
  const KernelTensor operands[] = {x, call.has_residual ? call.operands[1] : KernelTensor{}};
  renamed.operands = operands;
  return copy(renamed);
}
}  // namespace detail

inline Kernel make_kernel(const ops::Copy&, const KernelCall& call) { return detail::alias(call); }
inline Kernel make_kernel(const ops::Identity&, const KernelCall& call) { return detail::copy(call); }
inline Kernel make_kernel(const ops::Flatten&, const KernelCall& call) { return detail::alias(call); }
inline Kernel make_kernel(const ops::Reshape&, const KernelCall& call) { return detail::alias(call); }
inline Kernel make_kernel(const ops::Unsqueeze&, const KernelCall& call) { return detail::alias(call); }

}  // namespace lamina::gpu
