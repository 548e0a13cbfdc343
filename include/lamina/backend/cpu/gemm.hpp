/// The matrix product behind convolutions, linear layers and matmul. A register tile of kernel_rows x 2 vectors in
/// GCC/Clang vector extensions, panels of the right operand that stay in the L1 cache, rows of the left operand read
/// where they lie. Eigen's product of the same matrices takes 4.3 s and 361 MB to compile (g++ 12 -O3), this one 0.4 s
/// and 57 MB; on the shapes of ResNet-50 it is about as fast, gathering of the convolution included.
#pragma once
#include "rows.hpp"

namespace lamina::inline LAMINA_ISA::cpu {

/// A reference to a function object, so that the product is compiled once for all right operands.
template <class... Arguments> class Callback {
  const void* object;
  void (*call)(const void*, Arguments...);

 public:
  template <class F>
  Callback(const F& f)
      : object(&f), call([](const void* o, Arguments... arguments) { (*static_cast<const F*>(o))(arguments...); }) {}
  void operator()(Arguments... arguments) const { call(object, arguments...); }
};

/// Columns of a panel, and of the register tile.
inline constexpr idx panel_columns = 2 * vector_floats;

// Block sizes: a panel (depth x 16 floats for AVX2: 16 KB) in L1; the left operand's rows x depth and the tile of sums
// in L2.
inline constexpr idx depth_block = 256, column_block = 128, row_block = 512 / kernel_rows * kernel_rows;
inline constexpr idx left_block = 64 * 1024;

/// The left operand of a product, in blocks of kernel_rows rows: element (i, k) is
/// data[i / kernel_rows * block + i % kernel_rows * row + k * column].
struct Left {
  const float* data;
  idx block, row, column;

  const float* at(idx i, idx k) const { return data + i / kernel_rows * block + k * column; }
};

/// Rows of contiguous elements, `stride` apart.
inline Left left_rows(const float* data, idx stride) { return {data, kernel_rows * stride, stride, 1}; }

/// Blocks [rows / kernel_rows][depth][kernel_rows], all complete: zeros stand for rows that are missing from the last.
inline Left left_packed(const float* data, idx depth) { return {data, kernel_rows * depth, 1, kernel_rows}; }

/// Floats of a packed left operand.
constexpr idx packed_floats(idx rows, idx depth) { return divide_up(rows, kernel_rows) * kernel_rows * depth; }

namespace detail {
constexpr idx tile_rows(idx m) { return divide_up(min(m, row_block), kernel_rows) * kernel_rows; }
// An odd number of cache lines between rows, so that they spread over the sets of the cache.
constexpr idx tile_stride(idx n) { return divide_up(min(n, column_block), panel_columns) * panel_columns + 16; }

/// c[r, q] = or += sum over k of a[r * row + k * column] * b[k * panel_columns + q], for kernel_rows x (Vectors
/// vectors) elements.
template <int Vectors>
LAMINA_ONE_COPY inline void tile_product(idx depth, const float* a, idx row, idx column, const float* b, float* c,
                                         idx stride, bool add) {
  vector sum[kernel_rows * Vectors];
  LAMINA_UNROLL for (int i = 0; i < kernel_rows * Vectors; ++i) sum[i] = vector{};
  for (; depth > 0; --depth, a += column, b += panel_columns) {
    vector right[Vectors];
    LAMINA_UNROLL for (int q = 0; q < Vectors; ++q) right[q] = load(b + q * vector_floats);
    LAMINA_UNROLL for (int r = 0; r < kernel_rows; ++r) {
      const float left = a[r * row];
      LAMINA_UNROLL for (int q = 0; q < Vectors; ++q) sum[r * Vectors + q] += left * right[q];
    }
  }
  LAMINA_UNROLL for (int i = 0; i < kernel_rows * Vectors; ++i) {
    float* to = c + i / Vectors * stride + i % Vectors * vector_floats;
    store(add ? load(to) + sum[i] : sum[i], to);
  }
}
}  // namespace detail

/// Scratch floats of an m x n product.
constexpr idx product_floats(idx m, idx n) { return detail::tile_rows(m) * detail::tile_stride(n); }

/// The m x n product of `a` (m x k) and a right operand that is made panel by panel:
///   panel(k0, depth, j0, columns, to)
///     writes element (k0 + k, j0 + j) of the right operand to to[k * panel_columns + j], j < columns; what lies behind
///     them is of no account
///   finish(i, j0, columns, sums)
///     gets row i's finished sums from column j0 on, each once, and may write to them
LAMINA_ONE_COPY inline void matrix_product(const Left& a, idx m, idx n, idx k, float* scratch,
                                           Callback<idx, idx, idx, idx, float*> panel,
                                           Callback<idx, idx, idx, float*> finish) {
  const idx stride = detail::tile_stride(n);
  alignas(64) float right[depth_block * panel_columns];
  alignas(64) float last[kernel_rows * depth_block]{};  // the rows that do not fill a block, packed, and zeros
  for (idx i0 = 0; i0 < m; i0 += row_block) {
    const idx rows = min(m - i0, row_block);
    const idx most = max(64, min(depth_block, left_block / rows));
    for (idx j0 = 0; j0 < n; j0 += column_block) {
      const idx columns = min(n - j0, column_block);
      if (k == 0) fill_row(0, scratch, rows * stride);
      for (idx k0 = 0; k0 < k; k0 += most) {
        const idx depth = min(k - k0, most), full = a.column == 1 ? rows / kernel_rows * kernel_rows : rows;
        for (idx i = full; i < rows; ++i)
          copy_strided(a.at(i0 + full, k0) + (i - full) * a.row, 1, last + i - full, kernel_rows, depth);
        for (idx j = 0; j < columns; j += panel_columns) {
          const idx width = min(columns - j, panel_columns);
          panel(k0, depth, j0 + j, width, right);
          const auto kernel = width > vector_floats ? detail::tile_product<2> : detail::tile_product<1>;
          for (idx i = 0; i < full; i += kernel_rows)
            kernel(depth, a.at(i0 + i, k0), a.row, a.column, right, scratch + i * stride + j, stride, k0 > 0);
          if (full < rows) kernel(depth, last, 1, kernel_rows, right, scratch + full * stride + j, stride, k0 > 0);
        }
      }
      for (idx i = 0; i < rows; ++i) finish(i0 + i, j0, columns, scratch + i * stride);
    }
  }
}

/// The right operand for `matrix_product` whose row k lies at data + k * stride.
struct RightRows {
  const float* data;
  idx stride;

  LAMINA_ONE_COPY void operator()(idx k0, idx depth, idx j0, idx columns, float* to) const {
    const float* from = data + k0 * stride + j0;
    for (idx k = 0; k < depth; ++k, from += stride, to += panel_columns) {
      if (columns == panel_columns) std::memcpy(to, from, panel_columns * sizeof(float));
      else
        for (idx j = 0; j < columns; ++j) to[j] = from[j];
    }
  }
};

/// The right operand for `matrix_product` whose column j lies at data + j * stride.
struct RightColumns {
  const float* data;
  idx stride;

  LAMINA_ONE_COPY void operator()(idx k0, idx depth, idx j0, idx columns, float* to) const {
    for (idx j = 0; j < columns; ++j) {
      const float* from = data + (j0 + j) * stride + k0;
      for (idx k = 0; k < depth; ++k) to[k * panel_columns + j] = from[k];
    }
  }
};

/// Scalar products of x with up to four rows `stride` apart, n elements each: what is left of a product with one row.
LAMINA_ONE_COPY inline void dot_rows(const float* x, const float* rows, idx stride, int count, idx n, float* y) {
  const float* row[4];  // missing rows repeat the last
  for (int r = 0; r < 4; ++r) row[r] = rows + min(r, count - 1) * stride;
  vector sum[4][2]{};
  idx i = 0;
  for (; i + 2 * vector_floats <= n; i += 2 * vector_floats) {
    LAMINA_UNROLL for (int s = 0; s < 8; ++s) sum[s / 2][s % 2] +=
        load(x + i + s % 2 * vector_floats) * load(row[s / 2] + i + s % 2 * vector_floats);
  }
  for (int r = 0; r < count; ++r) {
    const vector both = sum[r][0] + sum[r][1];
    float total = 0;
    for (int l = 0; l < vector_floats; ++l) total += both[l];
    for (idx j = i; j < n; ++j) total += x[j] * row[r][j];
    y[r] = total;
  }
}

}  // namespace lamina::inline LAMINA_ISA::cpu
