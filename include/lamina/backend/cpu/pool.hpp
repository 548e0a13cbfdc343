/// Pooling.
#pragma once
#include "../../ops/pool.hpp"
#include "rows.hpp"

namespace lamina::inline LAMINA_ISA::cpu {

namespace detail {
/// Calls f(plane of the input, plane of the output) for every item and channel.
template <class F> inline void for_each_plane(const Call& call, F f) {
  const Input& x = call.in[0];
  const idx from = x.dims[2] * x.dims[3], to = call.out.dims[2] * call.out.dims[3];
  for (idx n = 0; n < x.dims[0]; ++n)
    for (idx c = 0; c < x.dims[1]; ++c) f(x.item(n) + c * from, call.out.item(n) + c * to);
}

/// Sum of the rectangle [top, bottom) x [left, right).
LAMINA_ONE_COPY inline double sum_rectangle(const float* x, idx width, idx top, idx bottom, idx left, idx right) {
  double sum = 0;
  for (idx i = top; i < bottom; ++i) sum += sum_row(x + i * width + left, right - left);
  return sum;
}
}  // namespace detail

inline void run(const ops::MaxPool2d& op, const Call& call) {
  const idx height = call.in[0].dims[2], width = call.in[0].dims[3];
  const auto& [h, w] = op.window;
  detail::for_each_plane(call, [&](const float* x, float* y) {
    for (idx oy = 0; oy < call.out.dims[2]; ++oy)
      for (idx ox = 0; ox < call.out.dims[3]; ++ox) {
        const idx top = oy * h.stride - h.before, left = ox * w.stride - w.before;
        // The first tap inside; those after the last one are cut by the extents.
        const idx first = top < 0 ? divide_up(-top, h.dilation) * h.dilation : 0;
        const idx start = left < 0 ? divide_up(-left, w.dilation) * w.dilation : 0;
        const idx bottom = min(height, top + h.reach()), right = min(width, left + w.reach());
        float most = -__builtin_inff();
        for (idx i = top + first; i < bottom; i += h.dilation)
          for (idx j = left + start; j < right; j += w.dilation) {
            const float v = x[i * width + j];
            most = v > most || v != v ? v : most;  // a NaN is never exceeded
          }
        *y++ = most;
      }
  });
}

inline void run(const ops::AvgPool2d& op, const Call& call) {
  const idx height = call.in[0].dims[2], width = call.in[0].dims[3];
  const auto& [h, w] = op.window;
  detail::for_each_plane(call, [&](const float* x, float* y) {
    for (idx oy = 0; oy < call.out.dims[2]; ++oy)
      for (idx ox = 0; ox < call.out.dims[3]; ++ox) {
        idx top = oy * h.stride - h.before, left = ox * w.stride - w.before;
        idx bottom = min(top + h.kernel, height + h.after), right = min(left + w.kernel, width + w.after);
        const idx padded = (bottom - top) * (right - left);
        top = max(top, 0), left = max(left, 0), bottom = min(bottom, height), right = min(right, width);
        const idx inside = (bottom - top) * (right - left);
        const idx divisor = op.divisor != 0 ? op.divisor : op.count_include_pad ? padded : inside;
        // A window that lies in the padding alone gives 0, whatever the divisor.
        *y++ = top < bottom && left < right
                   ? float(detail::sum_rectangle(x, width, top, bottom, left, right) / double(divisor))
                   : 0.f;
      }
  });
}

inline void run(const ops::AdaptiveAvgPool2d&, const Call& call) {
  const idx height = call.in[0].dims[2], width = call.in[0].dims[3], rows = call.out.dims[2],
            columns = call.out.dims[3];
  detail::for_each_plane(call, [&](const float* x, float* y) {
    for (idx oy = 0; oy < rows; ++oy)
      for (idx ox = 0; ox < columns; ++ox) {
        const idx top = oy * height / rows, bottom = divide_up((oy + 1) * height, rows);
        const idx left = ox * width / columns, right = divide_up((ox + 1) * width, columns);
        *y++ =
            float(detail::sum_rectangle(x, width, top, bottom, left, right) / double((bottom - top) * (right - left)));
      }
  });
}

}  // namespace lamina::inline LAMINA_ISA::cpu
