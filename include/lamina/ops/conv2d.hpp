/// Convolution: torch.nn.functional.conv2d.
#pragma once
#include "window.hpp"

namespace lamina::ops {

/// y[n, o, i, j] = bias[o] + sum over c, p, q of weight[o, c, p, q] * x[n, g * C/groups + c, i * stride + p * dilation
/// - padding, ...] x [N, C, H, W], weight [O, C/groups, kh, kw], bias [O] -> [N, O, H', W']. Zero padding.
struct Conv2d {
  static constexpr std::string_view name = "conv2d";
  static constexpr Role role = Role::producer;
  static constexpr bool takes_one_image = true;
  int in_channels = 1, out_channels = 1, groups = 1;
  Window2d window{};

  constexpr Text check(const Dims& x) const {
    if (x.rank == 4 && !compatible(in_channels, x[1])) return Text{} << "the input has " << x[1] << " channels: " << x;
    return check_window(x, window);
  }
  constexpr Dims shape(const Dims& x) const { return window_dims(x, out_channels, window); }
  constexpr idx macs(const Dims& x) const {
    return count(shape(x)) * (in_channels / groups) * window.height.kernel * window.width.kernel;
  }
  friend constexpr bool operator==(const Conv2d&, const Conv2d&) = default;
};

}  // namespace lamina::ops
