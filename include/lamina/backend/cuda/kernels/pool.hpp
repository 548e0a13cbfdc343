/// Pooling.
#pragma once
#include "image.hpp"

namespace lamina::gpu {

namespace detail {
inline constexpr std::string_view max_pool_body = R"(
    fill(-infinity, v);
    for (index p = 0; p < kernel_h; ++p) {
      const index row = h * stride_h - before_h + p * dilation_h;
      if (row < 0 || row >= in_height) continue;
      for (index q = 0; q < kernel_w; ++q) {
        const index column = w * stride_w - before_w + q * dilation_w;
        if (column < 0 || column >= in_width) continue;
        float e[lanes];
        load(x + row * x_h + column * x_w, e);
#pragma unroll
        for (int k = 0; k < lanes; ++k) v[k] = e[k] > v[k] || e[k] != e[k] ? e[k] : v[k];  // a NaN is never exceeded
      }
    }
)";

/// `Bounds` bounds(h, w) gives the part of the window that lies in the image, and what its sum is divided by.
inline constexpr std::string_view average_body = R"(
    const Bounds b = bounds(h, w);
    fill(0.0f, v);
    for (index row = b.top; row < b.bottom; ++row)
      for (index column = b.left; column < b.right; ++column) {
        float e[lanes];
        load(x + row * x_h + column * x_w, e);
#pragma unroll
        for (int k = 0; k < lanes; ++k) v[k] += e[k];
      }
    if (b.top < b.bottom && b.left < b.right) {
#pragma unroll
      for (int k = 0; k < lanes; ++k) v[k] /= float(b.divisor);
    }
)";

inline constexpr std::string_view bounds_type = R"(
struct Bounds { index top, bottom, left, right, divisor; };
__device__ inline index least(index a, index b) { return a < b ? a : b; }
__device__ inline index most(index a, index b) { return a > b ? a : b; }
)";

inline constexpr std::string_view window_bounds = R"(
__device__ inline Bounds bounds(index h, index w) {
  const index top = h * stride_h - before_h, left = w * stride_w - before_w;
  const index bottom = least(top + kernel_h, in_height + after_h), right = least(left + kernel_w, in_width + after_w);
  Bounds b{most(top, 0), least(bottom, in_height), most(left, 0), least(right, in_width), divisor};
  if (divisor == 0) b.divisor = count_padding ? (bottom - top) * (right - left) : (b.bottom - b.top) * (b.right - b.left);
  return b;
}
)";

inline constexpr std::string_view adaptive_bounds = R"(
__device__ inline Bounds bounds(index h, index w) {
  Bounds b{h * in_height / out_height, ((h + 1) * in_height + out_height - 1) / out_height,
           w * in_width / out_width, ((w + 1) * in_width + out_width - 1) / out_width, 0};
  b.divisor = (b.bottom - b.top) * (b.right - b.left);
  return b;
}
)";

[[gnu::cold]] inline Kernel average(std::string_view family, KernelSource& source, std::string_view bounds) {
  source.head << bounds_type;
  source.head << bounds;
  return image_kernel(family, source, average_body);
}
}  // namespace detail

/// Padding counts as minus infinity, NaN wins.
[[gnu::cold]] inline Kernel make_kernel(const ops::MaxPool2d& op, const KernelCall& call) {
  KernelSource source = image_source(call);
  declare_window(source, op.window);
  return image_kernel(op.name, source, detail::max_pool_body);
}

[[gnu::cold]] inline Kernel make_kernel(const ops::AvgPool2d& op, const KernelCall& call) {
  KernelSource source = image_source(call);
  declare_window(source, op.window);
  source.constant("divisor", idx(op.divisor));
  source.constant("count_padding", op.count_include_pad);
  return detail::average(op.name, source, detail::window_bounds);
}

[[gnu::cold]] inline Kernel make_kernel(const ops::AdaptiveAvgPool2d& op, const KernelCall& call) {
  KernelSource source = image_source(call);
  return detail::average(op.name, source, detail::adaptive_bounds);
}

}  // namespace lamina::gpu
