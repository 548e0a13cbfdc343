/// Pooling.
#pragma once
#include "../../ops/pool.hpp"
#include "planes.hpp"

namespace lamina::inline LAMINA_ISA::cpu {

namespace detail {
/// The part of a window that lies in the input.
struct Rectangle {
  idx top, bottom, left, right;
  constexpr bool empty() const { return top >= bottom || left >= right; }
  constexpr idx area() const { return (bottom - top) * (right - left); }
};

/// y = sum of the rectangle / divisor, for every lane.
template <int Lanes>
LAMINA_ONE_COPY void average(const float* x, idx width, const Rectangle& r, idx divisor, float* y) {
  double sum[Lanes]{};
  for (idx i = r.top; i < r.bottom; ++i)
    for (idx j = r.left; j < r.right; ++j)
      for (int l = 0; l < Lanes; ++l) sum[l] += double(x[(i * width + j) * Lanes + l]);
  for (int l = 0; l < Lanes; ++l) y[l] = float(sum[l] / double(divisor));
}
}  // namespace detail

inline void run(const ops::MaxPool2d& op, const Call& call) {
  const idx height = call.in[0].dims[2], width = call.in[0].dims[3];
  const idx rows = call.out.dims[2], columns = call.out.dims[3];
  const auto& [h, w] = op.window;
  for_each_plane(call, [&]<int Lanes>(const float* x, float* y) {
    for (idx oy = 0; oy < rows; ++oy)
      for (idx ox = 0; ox < columns; ++ox, y += Lanes) {
        const idx top = oy * h.stride - h.before, left = ox * w.stride - w.before;
        // The first tap inside; those after the last one are cut by the extents.
        const idx first = top < 0 ? divide_up(-top, h.dilation) * h.dilation : 0;
        const idx start = left < 0 ? divide_up(-left, w.dilation) * w.dilation : 0;
        const idx bottom = min(height, top + h.reach()), right = min(width, left + w.reach());
        using R = Registers<Lanes>;
        typename R::type most[R::count];
        LAMINA_UNROLL for (int r = 0; r < R::count; ++r) most[r] = typename R::type{} - __builtin_inff();
        for (idx i = top + first; i < bottom; i += h.dilation)
          for (idx j = left + start; j < right; j += w.dilation) LAMINA_UNROLL for (int r = 0; r < R::count; ++r) {
              const auto v = R::get(x + (i * width + j) * Lanes, r);
              most[r] = ((v > most[r]) | (v != v)) ? v : most[r];  // a NaN is never exceeded
            }
        LAMINA_UNROLL for (int r = 0; r < R::count; ++r) R::put(most[r], y, r);
      }
  });
}

inline void run(const ops::AvgPool2d& op, const Call& call) {
  const idx height = call.in[0].dims[2], width = call.in[0].dims[3];
  const idx rows = call.out.dims[2], columns = call.out.dims[3];
  const auto& [h, w] = op.window;
  for_each_plane(call, [&]<int Lanes>(const float* x, float* y) {
    for (idx oy = 0; oy < rows; ++oy)
      for (idx ox = 0; ox < columns; ++ox, y += Lanes) {
        const idx top = oy * h.stride - h.before, left = ox * w.stride - w.before;
        const idx bottom = min(top + h.kernel, height + h.after), right = min(left + w.kernel, width + w.after);
        const detail::Rectangle r{max(top, 0), min(bottom, height), max(left, 0), min(right, width)};
        const idx inside = op.count_include_pad ? (bottom - top) * (right - left) : r.area();
        // A window that lies in the padding alone gives 0, whatever the divisor.
        if (r.empty()) fill_row(0, y, Lanes);
        else detail::average<Lanes>(x, width, r, op.divisor != 0 ? op.divisor : inside, y);
      }
  });
}

inline void run(const ops::AdaptiveAvgPool2d&, const Call& call) {
  const idx height = call.in[0].dims[2], width = call.in[0].dims[3];
  const idx rows = call.out.dims[2], columns = call.out.dims[3];
  for_each_plane(call, [&]<int Lanes>(const float* x, float* y) {
    for (idx oy = 0; oy < rows; ++oy)
      for (idx ox = 0; ox < columns; ++ox, y += Lanes) {
        const detail::Rectangle r{oy * height / rows, divide_up((oy + 1) * height, rows), ox * width / columns,
                                  divide_up((ox + 1) * width, columns)};
        detail::average<Lanes>(x, width, r, r.area(), y);
      }
  });
}

}  // namespace lamina::inline LAMINA_ISA::cpu
