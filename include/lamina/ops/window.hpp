/// Sliding windows: what convolutions and pooling share.
#pragma once
#include "../core/size.hpp"
#include "operation.hpp"

namespace lamina::ops {

/// One dimension of a window.
struct Window {
  int kernel = 1, stride = 1, before = 0, after = 0, dilation = 1;

  /// Extent of the dilated kernel: dilation * (kernel - 1) + 1.
  constexpr idx reach() const { return idx(dilation) * (kernel - 1) + 1; }
  friend constexpr bool operator==(const Window&, const Window&) = default;
};

/// Height and width.
struct Window2d {
  Window height, width;
  friend constexpr bool operator==(const Window2d&, const Window2d&) = default;
};

/// Output extent of a window over n elements (torch.nn.Conv2d, MaxPool2d):
///   floor((n + before + after - dilation * (kernel - 1) - 1) / stride) + 1.
/// With `ceil_mode` the division rounds up, and a last window that would start in the padding behind is left out.
constexpr idx window_extent(idx n, const Window& w, bool ceil_mode = false) {
  if (n == dyn) return dyn;
  const idx rest = n + w.before + w.after - w.reach();
  if (rest < 0) return 0;
  const idx out = (ceil_mode ? rest + w.stride - 1 : rest) / w.stride + 1;
  return ceil_mode && (out - 1) * w.stride >= n + w.before ? out - 1 : out;
}

/// [N, C, H, W] -> [N, channels, H', W'] under a window.
constexpr Dims window_dims(const Dims& x, idx channels, const Window2d& w, bool ceil_mode = false) {
  return {x[0], channels, window_extent(x[2], w.height, ceil_mode), window_extent(x[3], w.width, ceil_mode)};
}

/// A fault if x is no [N, C, H, W] or smaller than the window.
constexpr Text check_window(const Dims& x, const Window2d& w) {
  if (x.rank != 4) return rank_fault("[N, C, H, W]", x);
  if (window_extent(x[2], w.height) == 0 || window_extent(x[3], w.width) == 0)
    return Text{} << "the window " << w.height.reach() << " x " << w.width.reach()
                  << " is larger than the padded input " << x;
  return {};
}

}  // namespace lamina::ops
