/// Transposed convolution.
#pragma once
#include "../../ops/conv_transpose2d.hpp"
#include "epilogue.hpp"
#include "gather.hpp"

namespace lamina::inline LAMINA_ISA::cpu {

namespace detail {
/// The output positions r, r + stride, r + 2 stride, ... of one dimension, seen as an ordinary convolution. Tap p
/// contributes to them if stride divides r + padding - p * dilation: every `weight_step`-th tap from `weight_first` on.
struct Phase {
  idx extent = 0;  // positions
  Reach reach{};
  idx weight_first = 0, weight_step = 1;
};

constexpr Phase phase(const ops::Window& w, idx out, idx r) {
  Phase f;
  f.extent = divide_up(out - r, w.stride);
  f.reach.taps = 0;
  for (idx p = 0, previous = 0; p < w.kernel; ++p) {
    const idx distance = r + w.before - p * w.dilation;
    if (distance % w.stride != 0) continue;
    if (f.reach.taps == 0) f.weight_first = p, f.reach.first = distance / w.stride;
    else if (f.reach.taps == 1) f.weight_step = p - previous, f.reach.step = distance / w.stride - f.reach.first;
    previous = p;
    ++f.reach.taps;
  }
  return f;
}

/// The largest number of taps that a phase has in one dimension.
constexpr idx most_taps(const ops::Window& w) {
  idx most = 0;
  for (idx r = 0; r < w.stride; ++r) most = max(most, phase(w, r + 1, r).reach.taps);
  return most;
}

/// The depth of the deepest phase's product.
constexpr idx most_depth(const ops::ConvTranspose2d& op) {
  return op.in_channels / op.groups * most_taps(op.window.height) * most_taps(op.window.width);
}

/// Output channels whose weights are packed at a time: what stays in the L2 cache.
constexpr idx packed_rows(const ops::ConvTranspose2d& op) {
  const idx blocks = 2 * left_block / max(1, most_depth(op)) / kernel_rows;
  return min(op.out_channels / op.groups, max(1, blocks) * kernel_rows);
}

/// Packs the taps of a phase of `now` output channels, from weights [channels][rows][kernel] on, as a left operand of
/// depth channels * taps.
inline void pack_weights(const float* weight, idx rows, idx now, idx channels, idx width, const Phase& v,
                         const Phase& u, idx kernel, float* packed) {
  const idx taps = v.reach.taps * u.reach.taps, depth = channels * taps;
  fill_row(0, packed, packed_floats(now, depth));
  for (idx o = 0; o < now; ++o)
    for (idx t = 0; t < taps; ++t) {
      const idx p = v.weight_first + t / u.reach.taps * v.weight_step,
                q = u.weight_first + t % u.reach.taps * u.weight_step;
      copy_strided(weight + o * kernel + p * width + q, rows * kernel,
                   packed + o / kernel_rows * kernel_rows * depth + t * kernel_rows + o % kernel_rows,
                   taps * kernel_rows, channels);
    }
}

/// Writes a run of finished sums of one output channel: pixels j0.. of the phase (r, s), which lie a stride apart in
/// the output.
LAMINA_ONE_COPY inline void scatter(const ops::ConvTranspose2d& op, const Call& call, idx n, idx o, idx r, idx s,
                                    idx phase_width, idx j0, idx columns, float* sums) {
  const auto& [h, w] = op.window;
  const Dims& out = call.out.dims;
  const float* bias = call.parameters[1].floats();
  float residual[column_block];
  for (idx j = j0; j < j0 + columns;) {
    const idx a = j / phase_width, b = j % phase_width, run = min(phase_width - b, j0 + columns - j);
    const idx at = (o * out[2] + r + a * h.stride) * out[3] + s + b * w.stride;
    const float* from = residual_at(call.epilogue, n, at);
    float* to = call.out.item(n) + at;
    if (w.stride == 1) finish_channel(call.epilogue, o, bias, from, sums, to, run);
    else {
      if (from) copy_strided(from, w.stride, residual, 1, run);
      finish_channel(call.epilogue, o, bias, from ? residual : nullptr, sums, sums, run);
      copy_strided(sums, 1, to, w.stride, run);
    }
    j += run;
    sums += run;
  }
}
}  // namespace detail

constexpr idx scratch_floats(const ops::ConvTranspose2d& op, const Dims& x) {
  const Dims y = op.shape(x);
  const idx rows = detail::packed_rows(op);
  return product_floats(rows, y[2] * y[3]) + packed_floats(rows, detail::most_depth(op));
}

/// Parameters: weight, bias. Every phase of the output (positions equal modulo the stride) is a convolution of stride 1
/// with some of the taps, so that each output element is summed up and finished once.
inline void run(const ops::ConvTranspose2d& op, const Call& call) {
  const Input& x = call.in[0];
  const Dims &in = x.dims, &out = call.out.dims;
  const auto& [h, w] = op.window;
  const idx rows = op.out_channels / op.groups, channels = op.in_channels / op.groups, most = detail::packed_rows(op);
  const idx kernel = idx(h.kernel) * w.kernel;
  const float* weight = call.parameters[0].floats();
  float* const packed = call.scratch + product_floats(most, out[2] * out[3]);
  for (idx r = 0; r < min(h.stride, out[2]); ++r)
    for (idx s = 0; s < min(w.stride, out[3]); ++s) {
      const detail::Phase v = detail::phase(h, out[2], r), u = detail::phase(w, out[3], s);
      const idx taps = v.reach.taps * u.reach.taps, depth = channels * taps;
      for (idx g = 0; g < op.groups; ++g)
        for (idx o0 = 0; o0 < rows; o0 += most) {
          const idx now = min(most, rows - o0);
          detail::pack_weights(weight + (g * channels * rows + o0) * kernel, rows, now, channels, w.kernel, v, u,
                               kernel, packed);
          for (idx n = 0; n < out[0]; ++n) {
            const Gather gather{x.item(n) + g * channels * in[2] * in[3], in[2], in[3], u.extent, v.reach, u.reach};
            matrix_product(left_packed(packed, depth), now, v.extent * u.extent, depth, call.scratch, gather,
                           [&](idx i, idx j0, idx columns, float* sums) {
                             detail::scatter(op, call, n, g * rows + o0 + i, r, s, u.extent, j0, columns, sums);
                           });
          }
        }
    }
}

}  // namespace lamina::inline LAMINA_ISA::cpu
