/// The right operand of a convolution as a matrix product: input elements gathered by taps and output pixels, panel by
/// panel, so that the im2col matrix never exists as a whole.
#pragma once
#include "gemm.hpp"

namespace lamina::inline LAMINA_ISA::cpu {

/// One dimension of the gathering: tap t of output pixel o reads input position o * stride + first + t * step.
struct Reach {
  idx taps = 1, stride = 1, first = 0, step = 1;
};

/// The matrix [channels * taps][output pixels] of one item, for `matrix_product`. Row k is channel k / taps, tap k %
/// taps; the taps are row-major over height and width, and so are the pixels. Outside the input there are zeros.
struct Gather {
  const float* x;
  idx height, width, out_width;
  Reach vertical, horizontal;

  LAMINA_ONE_COPY void operator()(idx k0, idx depth, idx j0, idx columns, float* to) const {
    int top[panel_columns], left[panel_columns], from[panel_columns];
    for (idx j = 0, oy = j0 / out_width, ox = j0 % out_width; j < columns; ++j) {
      top[j] = int(oy * vertical.stride + vertical.first);
      left[j] = int(ox * horizontal.stride + horizontal.first);
      if (++ox == out_width) ox = 0, ++oy;
    }
    const idx taps = vertical.taps * horizontal.taps, plane = height * width;
    for (idx t = 0; t < min(taps, depth); ++t) {
      // The t-th row of the panel and every taps-th after it belong to the same tap: addresses are computed once for
      // all of them.
      const idx tap = (k0 + t) % taps, dy = tap / horizontal.taps * vertical.step,
                dx = tap % horizontal.taps * horizontal.step;
      bool run = columns == panel_columns;
      for (idx j = 0; j < columns; ++j) {
        const idx iy = top[j] + dy, ix = left[j] + dx;
        const bool inside = iy >= 0 && iy < height && ix >= 0 && ix < width;
        from[j] = inside ? int(iy * width + ix) : -1;
        run = run && inside && from[j] == from[0] + j;
      }
      const float* channel = x + (k0 + t) / taps * plane;
      for (idx k = t; k < depth; k += taps, channel += plane) {
        float* row = to + k * panel_columns;
        if (run) std::memcpy(row, channel + from[0], panel_columns * sizeof(float));
        else
          for (idx j = 0; j < columns; ++j) row[j] = from[j] < 0 ? 0.f : channel[from[j]];
      }
    }
  }
};

}  // namespace lamina::inline LAMINA_ISA::cpu
