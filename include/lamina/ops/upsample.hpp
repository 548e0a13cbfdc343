/// Resizing of images: torch.nn.functional.interpolate.
#pragma once
#include "../core/size.hpp"
#include "operation.hpp"

namespace lamina::ops {

/// Height and width to `size`, or times `scale` (rounded down). Source position of output i along a dimension:
///   nearest                   floor(i * s)
///   bilinear                  max(0, (i + 0.5) * s - 0.5)
///   bilinear, align_corners   i * (in - 1) / (out - 1), 0 if out is 1
/// with s = 1 / scale where a scale is given, else in / out. Nearest to exactly the input's or twice the input's extent
/// in a small result (H' + W' up to 128) takes i or i / 2 whatever the scale, as PyTorch's kernel for such sizes does.
struct Upsample {
  enum class Mode : unsigned char { nearest, bilinear };
  static constexpr std::string_view name = "upsample";
  static constexpr Role role = Role::plain;
  int height = none, width = none;  // none: by scale
  double scale_height = 0, scale_width = 0;
  Mode mode = Mode::nearest;
  bool align_corners = false;

  constexpr Text check(const Dims& x) const { return x.rank == 4 ? Text{} : rank_fault("[N, C, H, W]", x); }
  constexpr Dims shape(const Dims& x) const {
    return {x[0], x[1], extent(x[2], height, scale_height), extent(x[3], width, scale_width)};
  }
  friend constexpr bool operator==(const Upsample&, const Upsample&) = default;

 private:
  static constexpr idx extent(idx n, int size, double scale) {
    return size != none ? size : n == dyn ? dyn : idx(double(n) * scale);
  }
};

}  // namespace lamina::ops
