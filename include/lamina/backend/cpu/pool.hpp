/// Pooling.
#pragma once
#include "../../ops/pool.hpp"
#include "planes.hpp"

namespace lamina::inline LAMINA_ISA::host {

namespace detail {
/// The part of a window that lies in the input.
struct Rectangle {
  idx top, bottom, left, right;
  constexpr bool empty() const { return top >= bottom || left >= right; }
  constexpr idx area() const { return (bottom - top) * (right - left); }
};

/// y = sum of the rectangle / divisor, for every channel of the plane.
template <class Pixel>
LAMINA_ONE_COPY void average(const float* x, idx width, const Rectangle& r, idx divisor, float* y) {
  double sum[Pixel::channels]{};
  for (idx i = r.top; i < r.bottom; ++i)
    for (idx j = r.left; j < r.right; ++j)
      for (int c = 0; c < Pixel::channels; ++c) sum[c] += double(Pixel::at(x + (i * width + j) * Pixel::words, c));
  for (int c = 0; c < Pixel::channels; ++c) Pixel::set(float(sum[c] / double(divisor)), y, c);
}
}  // namespace detail

template <class Elements = Floats> void run(const ops::MaxPool2d& op, const Call& call) {
  const idx height = call.in[0].dims[2], width = call.in[0].dims[3];
  const idx rows = call.out.dims[2], columns = call.out.dims[3];
  const auto& [h, w] = op.window;
  for_each_plane<Elements>(call, [&]<class Pixel>(const float* x, float* y) {
    for (idx oy = 0; oy < rows; ++oy)
      for (idx ox = 0; ox < columns; ++ox, y += Pixel::words) {
        const idx top = oy * h.stride - h.before, left = ox * w.stride - w.before;
        // The first tap inside; those after the last one are cut by the extents.
        const idx first = top < 0 ? divide_up(-top, h.dilation) * h.dilation : 0;
        const idx start = left < 0 ? divide_up(-left, w.dilation) * w.dilation : 0;
        const idx bottom = min(height, top + h.reach()), right = min(width, left + w.reach());
        typename Pixel::type most[Pixel::count];
        LAMINA_UNROLL for (int r = 0; r < Pixel::count; ++r) most[r] = typename Pixel::type{} - __builtin_inff();
        for (idx i = top + first; i < bottom; i += h.dilation)
          for (idx j = left + start; j < right; j += w.dilation) LAMINA_UNROLL for (int r = 0; r < Pixel::count; ++r) {
              const auto v = Pixel::get(x + (i * width + j) * Pixel::words, r);
              most[r] = ((v > most[r]) | (v != v)) ? v : most[r];  // a NaN is never exceeded
            }
        LAMINA_UNROLL for (int r = 0; r < Pixel::count; ++r) Pixel::put(most[r], y, r);
      }
  });
}

template <class Elements = Floats> void run(const ops::AvgPool2d& op, const Call& call) {
  const idx height = call.in[0].dims[2], width = call.in[0].dims[3];
  const idx rows = call.out.dims[2], columns = call.out.dims[3];
  const auto& [h, w] = op.window;
  for_each_plane<Elements>(call, [&]<class Pixel>(const float* x, float* y) {
    for (idx oy = 0; oy < rows; ++oy)
      for (idx ox = 0; ox < columns; ++ox, y += Pixel::words) {
        const idx top = oy * h.stride - h.before, left = ox * w.stride - w.before;
        const idx bottom = min(top + h.kernel, height + h.after), right = min(left + w.kernel, width + w.after);
        const detail::Rectangle r{max(top, 0), min(bottom, height), max(left, 0), min(right, width)};
        const idx inside = op.count_include_pad ? (bottom - top) * (right - left) : r.area();
        // A window that lies in the padding alone gives 0, whatever the divisor.
        if (r.empty()) fill_row(0, y, Pixel::words);
        else detail::average<Pixel>(x, width, r, op.divisor != 0 ? op.divisor : inside, y);
      }
  });
}

template <class Elements = Floats> void run(const ops::AdaptiveAvgPool2d&, const Call& call) {
  const idx height = call.in[0].dims[2], width = call.in[0].dims[3];
  const idx rows = call.out.dims[2], columns = call.out.dims[3];
  for_each_plane<Elements>(call, [&]<class Pixel>(const float* x, float* y) {
    for (idx oy = 0; oy < rows; ++oy)
      for (idx ox = 0; ox < columns; ++ox, y += Pixel::words) {
        const detail::Rectangle r{oy * height / rows, divide_up((oy + 1) * height, rows), ox * width / columns,
                                  divide_up((ox + 1) * width, columns)};
        detail::average<Pixel>(x, width, r, r.area(), y);
      }
  });
}

}  // namespace lamina::inline LAMINA_ISA::host
