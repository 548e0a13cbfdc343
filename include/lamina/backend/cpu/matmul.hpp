/// Matrix product of two values.
#pragma once
#include "../../ops/matmul.hpp"
#include "gemm.hpp"
#include "strides.hpp"

namespace lamina::inline LAMINA_ISA::cpu {

constexpr idx scratch_floats(const ops::Matmul&, const Dims& a) { return product_floats(a[a.rank - 2], column_block); }

inline void run(const ops::Matmul&, const Call& call) {
  const Input &a = call.in[0], &b = call.in[1];
  const Dims& dims = call.out.dims;
  const idx m = dims[dims.rank - 2], n = dims[dims.rank - 1], k = a.dims[a.dims.rank - 1];
  Dims batch = dims;
  batch.rank -= 2;
  const auto start = [&](const Input& x, idx i) {
    const Strides own = strides_of(x);
    idx distance = 0;
    for (int d = batch.rank - 1, from = x.dims.rank - 3; d >= 0; i /= batch[d--], --from)
      if (from >= 0 && x.dims[from] != 1) distance += i % batch[d] * own[from];
    return x.floats() + distance;
  };
  const idx products = count(batch);
  for (idx i = 0; i < products; ++i) {
    float* y = call.out.floats() + i * m * n;
    matrix_product(left_rows(start(a, i), k), m, n, k, call.scratch, RightRows{start(b, i), n},
                   [&](idx row, idx j0, idx columns, float* sums) { copy_row(sums, y + row * n + j0, columns); });
  }
}

}  // namespace lamina::inline LAMINA_ISA::cpu
