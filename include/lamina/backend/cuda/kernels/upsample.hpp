/// Resizing of images, from the positions that PyTorch's kernels compute (backend/cpu/upsample.hpp).
#pragma once
#include "image.hpp"

namespace lamina::gpu {

namespace detail {
/// Of one dimension: (1 - weight) * x[first] + weight * x[second].
inline constexpr std::string_view source_position = R"(
struct KernelSource { index first, second; float weight; };
__device__ inline KernelSource source_of(index i, index in, index out, float ratio) {
  if (out == in && (bilinear || small)) return {i, i, 0};
  if (!bilinear) {
    if (small && out == 2 * in) return {i / 2, i / 2, 0};
    const index at = index(floorf(float(i) * ratio));
    return at < in ? KernelSource{at, at, 0} : KernelSource{in - 1, in - 1, 0};
  }
  float at = align_corners ? ratio * float(i) : ratio * (float(i) + 0.5f) - 0.5f;
  if (at < 0) at = 0;
  const index first = index(at) < in ? index(at) : in - 1;
  const float weight = at - float(first);
  return {first, first < in - 1 ? first + 1 : first, weight < 1 ? weight : 1};
}
)";

inline constexpr std::string_view upsample_body = R"(
    const KernelSource row = source_of(h, in_height, out_height, ratio_h), column = source_of(w, in_width, out_width, ratio_w);
    load(x + row.first * x_h + column.first * x_w, v);
    if (bilinear) {
      float right[lanes], below[lanes], across[lanes];
      load(x + row.first * x_h + column.second * x_w, right);
      load(x + row.second * x_h + column.first * x_w, below);
      load(x + row.second * x_h + column.second * x_w, across);
#pragma unroll
      for (int k = 0; k < lanes; ++k)
        v[k] = (1 - row.weight) * ((1 - column.weight) * v[k] + column.weight * right[k]) +
               row.weight * ((1 - column.weight) * below[k] + column.weight * across[k]);
    }
)";

inline float upsample_ratio(const ops::Upsample& op, idx in, idx out, double scale) {
  if (op.mode == ops::Upsample::Mode::bilinear && op.align_corners) return out > 1 ? float(in - 1) / float(out - 1) : 0;
  return scale > 0 ? float(1 / scale) : float(in) / float(out);
}
}  // namespace detail

[[gnu::cold]] inline Kernel make_kernel(const ops::Upsample& op, const KernelCall& call) {
  const Dims &x = call.operands[0].dims, &y = call.out.dims;
  KernelSource source = image_source(call);
  source.constant("bilinear", op.mode == ops::Upsample::Mode::bilinear);
  source.constant("align_corners", op.align_corners);
  source.constant("small", y[2] + y[3] <= 128);
  source.constant("ratio_h", detail::upsample_ratio(op, x[2], y[2], op.height == none ? op.scale_height : 0));
  source.constant("ratio_w", detail::upsample_ratio(op, x[3], y[3], op.width == none ? op.scale_width : 0));
  source.head << detail::source_position;
  return image_kernel(op.name, source, detail::upsample_body);
}

}  // namespace lamina::gpu
