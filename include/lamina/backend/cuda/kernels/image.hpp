/// What kernels on images share: a thread makes the channels of a pixel that lie side by side, or one element.
#pragma once
#include "../source.hpp"

namespace lamina::gpu {

namespace detail {
/// Channels that a thread takes together.
[[gnu::cold]] inline idx channels_together(const KernelCall& call) {
  const KernelTensor &x = call.operands[0], &y = call.out;
  if (!is_channels_last(x) || !is_channels_last(y)) return 1;
  idx n = item_size(x.dtype) < 4 || item_size(y.dtype) < 4 ? 8 : 4;
  while (y.dims[1] % n != 0) n /= 2;
  return n;
}

/// Declares the steps of a tensor: x_n, x_c, x_h, x_w.
[[gnu::cold]] inline void declare_steps(KernelSource& source, std::string prefix, const KernelTensor& x) {
  const Strides strides = strides_of(x);
  for (int d = 0; d < 4; ++d) source.constant(prefix + "_" + "nchw"[d], strides[d]);
}

/// Declares place(at), the position of an element of an image.
[[gnu::cold]] inline void declare_place(KernelSource& source, const KernelTensor& y) {
  source.head << "__device__ inline Position<index> place(index at) {\n  return {" << coordinate(y, 0, "at");
  for (int d = 1; d < 4; ++d) source.head << ", " << coordinate(y, d, "at");
  source.head << "};\n}\n";
}
}  // namespace detail

/// Declares in_height, in_width, out_height, out_width, the steps of the operand and place(at) of the result.
[[gnu::cold]] inline KernelSource image_source(const KernelCall& call) {
  const Dims &x = call.operands[0].dims, &y = call.out.dims;
  KernelSource source(call);
  source.constant("in_height", x[2]);
  source.constant("in_width", x[3]);
  source.constant("out_height", y[2]);
  source.constant("out_width", y[3]);
  detail::declare_steps(source, "x", call.operands[0]);
  detail::declare_place(source, call.out);
  return source;
}

/// The kernel of an image_source: for every `lanes` elements of the result `body` makes `float v[lanes]` from `x`, the
/// image and channels of the operand that they belong to, and (h, w), the position of their pixel.
[[gnu::cold]] inline Kernel image_kernel(std::string_view family, KernelSource& source, std::string_view body) {
  const KernelCall& call = source.call();
  const idx lanes = detail::channels_together(call), work = count(call.out.dims) / lanes;
  source.constant("lanes", lanes);
  source.constant("groups", work);
  source.body << R"(
  for (index i = first(); i < groups; i += step) {
    const auto [n, c, h, w] = place(i * lanes);
    const X0* const x = x0 + n * x_n + c * x_c;
    float v[lanes];
)" << body << R"(
    put(y, residual, i * lanes, v);
  }
)";
  return source.kernel(family, work);
}

/// Declares a window: kernel_h, stride_h, before_h, dilation_h, and the same for the width.
[[gnu::cold]] inline void declare_window(KernelSource& source, const ops::Window2d& window) {
  const auto declare = [&](const ops::Window& w, std::string suffix) {
    source.constant("kernel" + suffix, idx(w.kernel));
    source.constant("stride" + suffix, idx(w.stride));
    source.constant("before" + suffix, idx(w.before));
    source.constant("after" + suffix, idx(w.after));
    source.constant("dilation" + suffix, idx(w.dilation));
  };
  declare(window.height, "_h");
  declare(window.width, "_w");
}

}  // namespace lamina::gpu
