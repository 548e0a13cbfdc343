/// Transposed convolution, where cuDNN has no engine.
#pragma once
#include "conv2d.hpp"

namespace lamina::gpu {

namespace detail {
/// The taps that reach an element of the result are those at whole steps from an element of the image.
inline constexpr std::string_view conv_transpose2d_taps = R"(
__device__ inline bool source_row(index h, index p, index& i) {
  const index distance = h + before_h - p * dilation_h;
  i = distance / stride_h;
  return distance >= 0 && distance % stride_h == 0 && i < in_height;
}
__device__ inline bool source_column(index w, index q, index& j) {
  const index distance = w + before_w - q * dilation_w;
  j = distance / stride_w;
  return distance >= 0 && distance % stride_w == 0 && j < in_width;
}
)";
inline constexpr std::string_view conv_transpose2d_filter = R"(
__device__ inline float right(const Weight* weight, index group, index d, index column) {
  const index c = d % in_channels, tap = d / in_channels;
  return to<float>(weight[((group * in_channels + c) * (kernel_h * kernel_w) + tap) * columns + column]);
}
)";
}  // namespace detail

/// Parameters: weight [C, kh, kw, O / groups], bias.
inline Kernel make_kernel(const ops::ConvTranspose2d& op, const KernelCall& call) {
  return detail::convolve(op, call, detail::conv_transpose2d_taps, detail::conv_transpose2d_filter);
}

}  // namespace lamina::gpu
