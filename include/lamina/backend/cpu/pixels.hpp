/// Where the taps of output pixels lie: convolutions and the phases of transposed ones.
#pragma once
#include "product.hpp"

namespace lamina::inline LAMINA_ISA::host {

/// One dimension of a window: tap t of output pixel o reads input position o * stride + first + t * step.
struct Reach {
  idx taps = 1, stride = 1, first = 0, step = 1;
};

/// One dimension of where results lie: output pixel o is at first + o * step.
struct Spread {
  idx extent = 0, first = 0, step = 1;
};

/// The pixels of images, all items in one row, for `multiply`.
struct Pixels {
  const float* x = nullptr;
  idx x_item = 0, height = 0, width = 0;  ///< floats between items; extents of the input
  idx lanes = channel_block;              ///< floats of a pixel
  Reach vertical{}, horizontal{};
  Spread rows{}, columns{};
  float* y = nullptr;
  idx y_item = 0, y_width = 0;
  const float* residual = nullptr;
  idx residual_item = 0;
  idx items = 1;

  constexpr idx count() const { return items * rows.extent * columns.extent; }

  LAMINA_ONE_COPY void operator()(idx pixel, int tile, const Addresses& a) const {
    const idx area = rows.extent * columns.extent, all = count();
    idx n = pixel / area, i = pixel % area / columns.extent, j = pixel % columns.extent;
    for (int p = 0; p < tile; ++p) {
      const idx at = ((rows.first + i * rows.step) * y_width + columns.first + j * columns.step) * channel_block;
      a.to[p] = y + n * y_item + at;
      if (residual) a.residual[p] = residual + n * residual_item + at;
      const float* const image = x + n * x_item;
      const idx top = i * vertical.stride + vertical.first, left = j * horizontal.stride + horizontal.first;
      const float** from = a.from + p;
      for (idx v = 0; v < vertical.taps; ++v) {
        const idx iy = top + v * vertical.step;
        const bool in_row = std::size_t(iy) < std::size_t(height);
        for (idx u = 0; u < horizontal.taps; ++u, from += tile) {
          const idx ix = left + u * horizontal.step;
          *from = in_row && std::size_t(ix) < std::size_t(width) ? image + (iy * width + ix) * lanes : nullptr;
        }
      }
      if (++pixel >= all) --pixel;
      else if (++j == columns.extent) {
        j = 0;
        if (++i == rows.extent) i = 0, ++n;
      }
    }
  }
};

namespace detail {
/// Images and result of a call, both blocked; the window's reach and where results lie are the caller's.
inline Pixels pixels_of(const Call& call) {
  const Input& x = call.in[0];
  const Input* residual = call.epilogue.residual;
  return {.x = x.floats(),
          .x_item = x.item_stride,
          .height = x.dims[2],
          .width = x.dims[3],
          .y = call.out.floats(),
          .y_item = call.out.item_stride,
          .y_width = call.out.dims[3],
          .residual = residual ? residual->floats() : nullptr,
          .residual_item = residual ? residual->item_stride : 0,
          .items = x.dims[0]};
}
}  // namespace detail

}  // namespace lamina::inline LAMINA_ISA::host
