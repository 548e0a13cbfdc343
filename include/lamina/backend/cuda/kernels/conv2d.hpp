/// Convolution, where cuDNN has no engine: rows are pixels of the result, columns its channels, and the depth is that
/// of the filter's memory, channels fastest.
#pragma once
#include "image.hpp"
#include "product.hpp"

namespace lamina::gpu {

namespace detail {
inline constexpr std::string_view convolution_pixels = R"(
__device__ inline float left(const X0* x, index group, index row, index d) {
  const index w = row % out_width, h = row / out_width % out_height, n = row / (out_width * out_height);
  const index c = d % in_channels, q = d / in_channels % kernel_w, p = d / (in_channels * kernel_w);
  index i, j;
  if (!source_row(h, p, i) || !source_column(w, q, j)) return 0;
  return to<float>(x[n * x_n + (group * in_channels + c) * x_c + i * x_h + j * x_w]);
}
__device__ inline index result(index group, index row, index column) {
  const index w = row % out_width, h = row / out_width % out_height, n = row / (out_width * out_height);
  return n * y_n + (group * columns + column) * y_c + h * y_h + w * y_w;
}
)";

/// What convolutions and transposed ones have in common; `taps` declares source_row(h, p, i) and source_column(w, q,
/// j): whether tap p of row h is one of the image, and its row; `filter` declares right.
template <class Op>
Kernel convolve(const Op& op, const KernelCall& call, std::string_view taps, std::string_view filter) {
  const KernelTensor& y = call.out;
  const idx in_channels = op.in_channels / op.groups;
  const Product product{.groups = op.groups,
                        .rows = y.dims[0] * y.dims[2] * y.dims[3],
                        .columns = op.out_channels / op.groups,
                        .depth = in_channels * op.window.height.kernel * op.window.width.kernel,
                        .left_along_depth = is_channels_last(call.operands[0]),
                        .right_along_depth = std::is_same_v<Op, ops::Conv2d>,
                        .result_along_columns = is_channels_last(y)};
  KernelSource source = image_source(call);
  declare_product(source, product);
  declare_window(source, op.window);
  declare_steps(source, "y", y);
  source.constant("in_channels", in_channels);
  source.head << taps;
  source.head << convolution_pixels;
  source.head << filter;
  return multiply(op.name, source, product, "weight");
}

inline constexpr std::string_view conv2d_taps = R"(
__device__ inline bool source_row(index h, index p, index& i) {
  i = h * stride_h - before_h + p * dilation_h;
  return i >= 0 && i < in_height;
}
__device__ inline bool source_column(index w, index q, index& j) {
  j = w * stride_w - before_w + q * dilation_w;
  return j >= 0 && j < in_width;
}
)";
inline constexpr std::string_view conv2d_filter = R"(
__device__ inline float right(const Weight* weight, index group, index d, index column) {
  return to<float>(weight[(group * columns + column) * depth + d]);
}
)";
}  // namespace detail

/// Parameters: weight [O, kh, kw, C / groups], bias.
inline Kernel make_kernel(const ops::Conv2d& op, const KernelCall& call) {
  return detail::convolve(op, call, detail::conv2d_taps, detail::conv2d_filter);
}

}  // namespace lamina::gpu
