/// Fully connected layer.
#pragma once
#include "../../ops/linear.hpp"
#include "epilogue.hpp"
#include "gemm.hpp"

namespace lamina::inline LAMINA_ISA::cpu {

namespace detail {
/// With few rows the weights are read once, as they lie; a product would first rearrange them.
constexpr bool runs_by_rows(idx rows) { return rows < 8; }
}  // namespace detail

constexpr idx scratch_floats(const ops::Linear& op, const Dims& x) {
  const idx rows = product(x, 0, x.rank - 1);
  return detail::runs_by_rows(rows) ? 0 : product_floats(rows, op.out_features);
}

/// Parameters: weight, bias. The bias belongs to the last dimension; the epilogue's scale and shift to dimension 1,
/// which is another one if x has more than two.
inline void run(const ops::Linear& op, const Call& call) {
  const Dims& in = call.in[0].dims;
  const idx rows = product(in, 0, in.rank - 1), depth = op.in_features, outs = op.out_features;
  const idx inner = in.rank > 2 ? product(in, 2, in.rank - 1) : 1;
  const float *x = call.in[0].floats(), *weight = call.parameters[0].floats(), *bias = call.parameters[1].floats();
  const auto finish_row = [&](idx i, idx j0, idx columns, float* sums) {
    const Epilogue& e = call.epilogue;
    const float* residual = e.residual ? e.residual->floats() + i * outs + j0 : nullptr;
    float* y = call.out.floats() + i * outs + j0;
    if (in.rank <= 2) return finish_channels(e, j0, bias, residual, sums, y, columns);
    if (bias)
      for (idx j = 0; j < columns; ++j) sums[j] += bias[j0 + j];
    finish_channel(e, i / inner % in[1], nullptr, residual, sums, y, columns);
  };
  const Callback<idx, idx, idx, float*> finish(finish_row);
  if (!detail::runs_by_rows(rows))
    return matrix_product(left_rows(x, depth), rows, outs, depth, call.scratch, RightColumns{weight, depth}, finish);
  constexpr idx chunk = 64;
  float sums[8][chunk];
  for (idx j0 = 0; j0 < outs; j0 += chunk) {
    const idx columns = min(chunk, outs - j0);
    for (idx j = 0; j < columns; j += 4)
      for (idx i = 0; i < rows; ++i)
        dot_rows(x + i * depth, weight + (j0 + j) * depth, depth, int(min(4, columns - j)), depth, sums[i] + j);
    for (idx i = 0; i < rows; ++i) finish(i, j0, columns, sums[i]);
  }
}

}  // namespace lamina::inline LAMINA_ISA::cpu
