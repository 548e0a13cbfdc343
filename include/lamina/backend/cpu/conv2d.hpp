/// Convolution.
#pragma once
#include "../../ops/conv2d.hpp"
#include "epilogue.hpp"
#include "gather.hpp"

namespace lamina::inline LAMINA_ISA::cpu {

namespace detail {
// With one or two rows in the left operand (depthwise convolutions, masks) packing panels costs more than the product.
constexpr bool runs_directly(const ops::Conv2d& op) { return op.out_channels / op.groups <= 2; }

/// Adds one channel's taps of output row `oy` to the sums of the columns [first, last).
inline void add_taps(const ops::Conv2d& op, const Dims& x, const float* channel, const float* weight, idx oy, idx first,
                     idx last, float* sums) {
  const auto& [h, w] = op.window;
  for (idx p = 0; p < h.kernel; ++p) {
    const idx iy = oy * h.stride - h.before + p * h.dilation;
    if (iy < 0 || iy >= x[2]) continue;
    const float* row = channel + iy * x[3];
    for (idx q = 0; q < w.kernel; ++q) {
      // Column ox reads ox * stride - offset, which has to lie in [0, W).
      const idx offset = w.before - q * w.dilation, end = x[3] + offset;
      const idx begin = max(first, offset > 0 ? divide_up(offset, w.stride) : 0);
      const idx stop = min(last, end > 0 ? divide_up(end, w.stride) : 0);
      const float factor = weight[p * w.kernel + q];
      if (begin >= stop) continue;
      const float* from = row + begin * w.stride - offset;
      float* to = sums + begin - first;
      if (w.stride == 1)
        for (idx i = 0; i < stop - begin; ++i) to[i] += factor * from[i];
      else
        for (idx i = 0; i < stop - begin; ++i) to[i] += factor * from[i * w.stride];
    }
  }
}

inline void run_directly(const ops::Conv2d& op, const Call& call) {
  const Input& x = call.in[0];
  const Dims &in = x.dims, &out = call.out.dims;
  const float *weight = call.parameters[0].floats(), *bias = call.parameters[1].floats();
  const idx taps = idx(op.window.height.kernel) * op.window.width.kernel, channels = op.in_channels / op.groups;
  constexpr idx chunk = 256;
  float sums[chunk];
  for (idx n = 0; n < out[0]; ++n)
    for (idx o = 0; o < out[1]; ++o) {
      const float* group = x.item(n) + o / (op.out_channels / op.groups) * channels * in[2] * in[3];
      for (idx oy = 0; oy < out[2]; ++oy)
        for (idx first = 0; first < out[3]; first += chunk) {
          const idx last = min(out[3], first + chunk), at = (o * out[2] + oy) * out[3] + first;
          fill_row(0, sums, last - first);
          for (idx c = 0; c < channels; ++c)
            add_taps(op, in, group + c * in[2] * in[3], weight + (o * channels + c) * taps, oy, first, last, sums);
          finish_channel(call.epilogue, o, bias, residual_at(call.epilogue, n, at), sums, call.out.item(n) + at,
                         last - first);
        }
    }
}
}  // namespace detail

constexpr idx scratch_floats(const ops::Conv2d& op, const Dims& x) {
  const Dims y = op.shape(x);
  return detail::runs_directly(op) ? 0 : product_floats(op.out_channels / op.groups, y[2] * y[3]);
}

/// Parameters: weight, bias.
inline void run(const ops::Conv2d& op, const Call& call) {
  if (detail::runs_directly(op)) return detail::run_directly(op, call);
  const Input& x = call.in[0];
  const Dims &in = x.dims, &out = call.out.dims;
  const auto& [h, w] = op.window;
  const idx rows = op.out_channels / op.groups, channels = op.in_channels / op.groups, pixels = out[2] * out[3];
  const idx depth = channels * h.kernel * w.kernel;
  const float *weight = call.parameters[0].floats(), *bias = call.parameters[1].floats();
  for (idx n = 0; n < out[0]; ++n)
    for (idx g = 0; g < op.groups; ++g) {
      const Gather gather{
          x.item(n) + g * channels * in[2] * in[3],   in[2], in[3], out[3], {h.kernel, h.stride, -h.before, h.dilation},
          {w.kernel, w.stride, -w.before, w.dilation}};
      float* y = call.out.item(n);
      matrix_product(left_rows(weight + g * rows * depth, depth), rows, pixels, depth, call.scratch, gather,
                     [&](idx i, idx j0, idx columns, float* sums) {
                       const idx o = g * rows + i, at = o * pixels + j0;
                       finish_channel(call.epilogue, o, bias, residual_at(call.epilogue, n, at), sums, y + at, columns);
                     });
    }
}

}  // namespace lamina::inline LAMINA_ISA::cpu
