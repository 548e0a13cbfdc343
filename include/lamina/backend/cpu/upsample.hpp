/// Resizing of images. Positions are computed in float32 exactly as PyTorch's CPU kernels do (ATen/native/UpSample.h
/// and cpu/UpSampleKernel.cpp): for nearest neighbours one rounding more or less picks another pixel.
#pragma once
#include "../../ops/upsample.hpp"
#include "math.hpp"
#include "planes.hpp"

namespace lamina::inline LAMINA_ISA::host {

namespace detail {
/// Source positions of one output position: (1 - weight) * x[first] + weight * x[second].
struct Source {
  idx first, second;
  float weight;
};

/// One dimension of a resize.
struct Resize {
  idx in, out;
  double scale;  // 0: not given
  bool bilinear, align_corners, small;

  float ratio() const { return scale > 0 ? float(1 / scale) : float(in) / float(out); }

  Source source(idx i) const {
    if (!bilinear) {
      // PyTorch's kernel for small images takes these two shortcuts, which differ from the formula where a scale is
      // given that does not divide evenly; the one for large images does not.
      if (small && out == in) return {i, i, 0};
      if (small && out == 2 * in) return {i / 2, i / 2, 0};
      const idx at = min(idx(math::floor(float(i) * ratio())), in - 1);
      return {at, at, 0};
    }
    if (out == in) return {i, i, 0};
    float at = 0;
    if (align_corners) at = out > 1 ? float(in - 1) / float(out - 1) * float(i) : 0.f;
    else at = ratio() * (float(i) + 0.5f) - 0.5f;
    if (at < 0) at = 0;
    const idx first = min(idx(at), in - 1);
    const float weight = at - float(first);
    return {first, first + (first < in - 1), weight < 1 ? weight : 1.f};
  }
};
}  // namespace detail

template <class Elements = Floats> void run(const ops::Upsample& op, const Call& call) {
  const Input& x = call.in[0];
  const Dims &in = x.dims, &out = call.out.dims;
  const bool bilinear = op.mode == ops::Upsample::Mode::bilinear, small = out[2] + out[3] <= 128;
  const detail::Resize vertical{in[2],    out[2],           op.height == none ? op.scale_height : 0,
                                bilinear, op.align_corners, small};
  const detail::Resize horizontal{in[3],    out[3],           op.width == none ? op.scale_width : 0,
                                  bilinear, op.align_corners, small};
  const idx rows = out[2], columns = out[3], width = in[3];
  for_each_plane<Elements>(call, [&]<class Pixel>(const float* plane, float* y) {
    constexpr idx chunk = 128;  // columns whose sources are computed once for all rows
    detail::Source column[chunk];
    for (idx j0 = 0; j0 < columns; j0 += chunk) {
      const idx count = min(chunk, columns - j0);
      for (idx j = 0; j < count; ++j) column[j] = horizontal.source(j0 + j);
      for (idx i = 0; i < rows; ++i) {
        const detail::Source row = vertical.source(i);
        const float *const top = plane + row.first * width * Pixel::words, *const bottom = plane + row.second * width *
                                                                                                       Pixel::words;
        float* to = y + (i * columns + j0) * Pixel::words;
        for (idx j = 0; j < count; ++j, to += Pixel::words) {
          const auto [first, second, w] = column[j];
          const float *const a = top + first * Pixel::words, *const b = top + second * Pixel::words,
                             *const c = bottom + first * Pixel::words, *const d = bottom + second * Pixel::words;
          if (!bilinear) copy_row(a, to, Pixel::words);
          else
            LAMINA_UNROLL for (int r = 0; r < Pixel::count; ++r)
                Pixel::put((1 - row.weight) * ((1 - w) * Pixel::get(a, r) + w * Pixel::get(b, r)) +
                               row.weight * ((1 - w) * Pixel::get(c, r) + w * Pixel::get(d, r)),
                           to, r);
        }
      }
    }
  });
}

}  // namespace lamina::inline LAMINA_ISA::host
