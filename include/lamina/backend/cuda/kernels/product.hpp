/// The sums of products under convolutions, linear layers and matrix products: for each of `products` groups a matrix
///   result(row, column) = sum over d of left(row, d) * right(d, column)
/// whose factors and results are wherever the operation says.
#pragma once
#include "../source.hpp"

namespace lamina::gpu {

/// Extents of a product. Its source declares these functions of element numbers, each after the group:
///   left(x0, group, row, d)   right(p, group, d, column), p the weight or second operand   result(group, row, column)
struct Product {
  idx groups = 1, rows = 1, columns = 1, depth = 1;
  bool left_along_depth = true;      ///< neighbours along the depth are neighbours in memory, else along the rows
  bool right_along_depth = true;     ///< likewise, else along the columns
  bool result_along_columns = true;  ///< columns are neighbours in memory
};

namespace detail {
/// Tiles of 64 x 64 in slices of 16 of the depth: 4 x 4 sums a thread.
inline constexpr std::string_view tile_body = R"(
  constexpr int side = 64, slice = 16, own = 4;
  alignas(16) __shared__ float a[slice][side + 4], b[slice][side + 4];
  const int i0 = int(threadIdx.x) / 16 * own, j0 = int(threadIdx.x) % 16 * own;
  for (index t = blockIdx.x; t < tiles; t += step / threads) {
    const index group = t / (across * down), left_column = t % across * side, top = t / across % down * side;
    float sum[own][own] = {};
    for (index d0 = 0; d0 < depth; d0 += slice) {
      for (int e = threadIdx.x; e < side * slice; e += threads) {
        const int d = left_along_depth ? e % slice : e / side, i = left_along_depth ? e / slice : e % side;
        a[d][i] = top + i < rows && d0 + d < depth ? left(x0, group, top + i, d0 + d) : 0;
      }
      for (int e = threadIdx.x; e < side * slice; e += threads) {
        const int d = right_along_depth ? e % slice : e / side, j = right_along_depth ? e / slice : e % side;
        b[d][j] = left_column + j < columns && d0 + d < depth ? right(factor, group, d0 + d, left_column + j) : 0;
      }
      __syncthreads();
#pragma unroll
      for (int d = 0; d < slice; ++d)
#pragma unroll
        for (int i = 0; i < own; ++i)
#pragma unroll
          for (int j = 0; j < own; ++j) sum[i][j] += a[d][i0 + i] * b[d][j0 + j];
      __syncthreads();
    }
#pragma unroll
    for (int i = 0; i < own; ++i) {
      const index row = top + i0 + i, column = left_column + j0;
      if (row >= rows) continue;
#pragma unroll
      for (int j = 0; j < own; ++j)
        if (bias && column + j < columns) sum[i][j] += bias[group * columns + column + j];
      if (result_along_columns && column + own <= columns) put(y, residual, result(group, row, column), sum[i]);
      else {
#pragma unroll
        for (int j = 0; j < own; ++j)
          if (column + j < columns) {
            float v[1] = {sum[i][j]};
            put(y, residual, result(group, row, column + j), v);
          }
      }
    }
  }
)";

/// A thread makes one result: where there are too few columns for tiles.
inline constexpr std::string_view thread_body = R"(
  for (index i = first(); i < groups * rows * columns; i += step) {
    const index column = i % columns, group = i / columns % groups, row = i / (columns * groups);
    float v[1] = {0};
    for (index d = 0; d < depth; ++d) v[0] += left(x0, group, row, d) * right(factor, group, d, column);
    if (bias) v[0] += bias[group * columns + column];
    put(y, residual, result(group, row, column), v);
  }
)";
}  // namespace detail

/// Declares the extents: groups, rows, columns, depth.
[[gnu::cold]] inline void declare_product(KernelSource& source, const Product& p) {
  source.constant("groups", p.groups);
  source.constant("rows", p.rows);
  source.constant("columns", p.columns);
  source.constant("depth", p.depth);
}

/// The kernel of a declared product. The bias of a column is number group * columns + column.
[[gnu::cold]] inline Kernel multiply(std::string_view family, KernelSource& source, const Product& p,
                                     std::string_view factor) {
  constexpr idx side = 64, fewest_columns = 8;
  const idx across = (p.columns + side - 1) / side, down = (p.rows + side - 1) / side, tiles = p.groups * across * down;
  source.body << "  const auto* const factor = " << factor << ";\n";
  if (p.columns < fewest_columns) {
    source.body << detail::thread_body;
    return source.kernel(family, p.groups * p.rows * p.columns);
  }
  source.constant("across", across);
  source.constant("down", down);
  source.constant("tiles", tiles);
  source.constant("left_along_depth", p.left_along_depth);
  source.constant("right_along_depth", p.right_along_depth);
  source.constant("result_along_columns", p.result_along_columns);
  source.body << detail::tile_body;
  return source.kernel(family, tiles * 256);
}

}  // namespace lamina::gpu
