/// Matrix product of two values.
#pragma once
#include "../../ops/matmul.hpp"
#include "linear.hpp"
#include "strides.hpp"

namespace lamina::inline LAMINA_ISA::host {

constexpr Scratch scratch_of(const ops::Matmul&, const Dims& a, const Dims& b) {
  const Channels channels(a[a.rank - 1], b[b.rank - 1], 1, feature_block);
  return {channels.weights() + round_up(b[b.rank - 1], group_channels), product_scratch(channels, 1)};
}

/// The right operand is packed, then its columns are the output channels of a linear layer.
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
  const Channels channels(k, n, 1, feature_block);
  float *const weight = call.scratch, *const bias = weight + channels.weights();
  fill_row(0, bias, round_up(n, group_channels));
  for (idx i = 0, products = count(batch); i < products; ++i) {
    const float* const right = start(b, i);
    for (idx g = 0; g < channels.out_groups(); ++g)
      for (idx c = 0; c < k; ++c) {
        float* const row = weight + g * channels.group_weights() + c * channels.lanes(g);
        const idx columns = min(group_channels, n - g * group_channels);
        copy_row(right + c * n + g * group_channels, row, columns);
        fill_row(0, row + columns, channels.lanes(g) - columns);
      }
    multiply({.pixels = m,
              .channels = channels,
              .from_step = feature_block,
              .weight = weight,
              .bias = bias,
              .to_step = channel_block,
              .whole_blocks = false,
              .scratch = bias + round_up(n, group_channels),
              .threads = call.threads},
             detail::Rows{start(a, i), k, call.out.floats() + i * m * n, n, nullptr, m});
  }
}

}  // namespace lamina::inline LAMINA_ISA::host
