/// Fully connected layer.
#pragma once
#include "method.hpp"

namespace lamina::inline LAMINA_ISA::host {

namespace detail {
/// Scalar products of x with up to four rows `stride` apart, n elements each.
template <class Weight>
LAMINA_ONE_COPY void dot_rows(const float* x, const Weight* rows, idx stride, int count, idx n, float* y) {
  const Weight* row[4];  // missing rows repeat the last
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
    for (idx j = i; j < n; ++j) total += x[j] * float(row[r][j]);
    y[r] = total;
  }
}

/// With one or two rows the weights are read once, as they lie.
template <class Elements> void run_rows(const ops::Linear& op, const Call& call, idx rows) {
  constexpr idx chunk = 32;
  const idx depth = op.in_features, outs = op.out_features, chunks = divide_up(outs, chunk);
  const float *x = call.in[0].floats(), *bias = call.parameters[1].floats();
  const auto weight = Elements::in(call.parameters[0].floats());
  const Input* residual = call.epilogue.residual;
  // A few thousand products are done before another thread has started.
  const int threads = depth * outs < 64 * 1024 ? 1 : call.threads;
  threads::share(threads, chunks, 1, [&](int, threads::Work& work) {
    for (const idx c : work) {
      const idx j0 = c * chunk, columns = min(chunk, outs - j0);
      float sums[2][chunk];
      for (idx j = 0; j < columns; j += 4)
        for (idx i = 0; i < rows; ++i)
          dot_rows(x + i * depth, weight + (j0 + j) * depth, depth, int(min(4, columns - j)), depth, sums[i] + j);
      for (idx i = 0; i < rows; ++i) {
        const idx at = i * outs + j0;
        add_row(bias + j0, sums[i], columns);
        if (residual) add_row(residual->floats() + at, sums[i], columns);
        activate(call.epilogue.activation, sums[i], call.out.floats() + at, columns);
      }
    }
  });
}

/// Rows of matrices, for `multiply`.
struct Rows {
  const float* x;
  idx x_stride;
  float* y;
  idx y_stride;
  const float* residual;
  idx count;

  void operator()(idx row, int tile, const Addresses& a) const {
    for (int p = 0; p < tile; ++p) {
      const idx r = min(row + p, count - 1);
      a.from[p] = x + r * x_stride;
      a.to[p] = y + r * y_stride;
      if (residual) a.residual[p] = residual + r * y_stride;
    }
  }
};

template <class Elements> void run_product(const ops::Linear& op, const Call& call, idx rows) {
  const Dims& in = call.in[0].dims;
  const Input* residual = call.epilogue.residual;
  const float* x = call.in[0].floats();
  const idx words = words_of(op.in_features, call.method);
  if constexpr (Elements::in_word == 2) {
    threads::share(call.threads, rows, 8, [&](int, threads::Work& work) {
      for (const idx i : work) {
        if (op.in_features % 2 == 1) call.scratch[(i + 1) * words - 1] = 0;
        convert_row(x + i * op.in_features, Pairs::in(call.scratch + i * words), op.in_features);
      }
    });
    x = call.scratch;
  }
  multiply({.pixels = rows,
            .channels = channels_of(op, call.method),
            .from_step = feature_block,
            .weight = call.parameters[0].floats(),
            .bias = call.parameters[1].floats(),
            .residual = residual != nullptr,
            .to_step = channel_block,
            .whole_blocks = false,
            .kernel = run_tile<Elements, Floats>,
            .activation = call.epilogue.activation,
            .scratch = call.scratch + round_up(row_pairs(op, in, call.method), channel_block),
            .threads = call.threads},
           Rows{x, words, call.out.floats(), op.out_features, residual ? residual->floats() : nullptr, rows});
}
}  // namespace detail

/// Parameters: weight and bias, packed for call.method, which is one of the mask. Operands and result are floats.
template <std::uint64_t Kernels = float_kernels> void run(const ops::Linear& op, const Call& call) {
  const Dims& in = call.in[0].dims;
  const idx rows = product(in, 0, in.rank - 1);
  if constexpr (has_method<Kernels, Method::plain>)
    if (call.method == Method::plain) return detail::run_rows<Floats>(op, call, rows);
  if constexpr (has_method<Kernels, Method::plain_bfloat16>)
    if (call.method == Method::plain_bfloat16) return detail::run_rows<Pairs>(op, call, rows);
  if constexpr (has_method<Kernels, Method::direct>)
    if (call.method == Method::direct) return detail::run_product<Floats>(op, call, rows);
  if constexpr (has_method<Kernels, Method::direct_bfloat16>)
    if (call.method == Method::direct_bfloat16) return detail::run_product<Pairs>(op, call, rows);
}

}  // namespace lamina::inline LAMINA_ISA::host
