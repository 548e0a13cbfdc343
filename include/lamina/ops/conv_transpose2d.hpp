/// Transposed convolution: torch.nn.functional.conv_transpose2d.
#pragma once
#include "window.hpp"

namespace lamina::ops {

/// Every input element adds weight[c, o, p, q] * x[n, c, i, j] to y[n, o, i * stride + p * dilation - padding, ...].
/// x [N, C, H, W], weight [C, O/groups, kh, kw], bias [O] -> [N, O, H', W'] with
///   H' = (H - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1.
struct ConvTranspose2d {
  static constexpr std::string_view name = "conv_transpose2d";
  static constexpr Role role = Role::producer;
  static constexpr bool takes_one_image = true;
  int in_channels = 1, out_channels = 1, groups = 1;
  Window2d window{};
  int output_padding_height = 0, output_padding_width = 0;

  constexpr Text check(const Dims& x) const {
    if (x.rank != 4) return rank_fault("[N, C, H, W]", x);
    if (!compatible(in_channels, x[1])) return Text{} << "the input has " << x[1] << " channels: " << x;
    const Dims y = shape(x);
    if ((x[2] != dyn && y[2] <= 0) || (x[3] != dyn && y[3] <= 0)) return Text{} << "no output is left of " << x;
    return {};
  }
  constexpr Dims shape(const Dims& x) const {
    return {x[0], out_channels, extent(x[2], window.height, output_padding_height),
            extent(x[3], window.width, output_padding_width)};
  }
  /// As torchinfo counts them: all taps for every output element.
  constexpr idx macs(const Dims& x) const {
    return count(shape(x)) * (in_channels / groups) * window.height.kernel * window.width.kernel;
  }
  /// Products of every input element with its taps, borders included: what a kernel computes. `macs` counts some stride
  /// * stride times as many.
  constexpr idx products(const Dims& x) const {
    return count(x) * (out_channels / groups) * window.height.kernel * window.width.kernel;
  }
  friend constexpr bool operator==(const ConvTranspose2d&, const ConvTranspose2d&) = default;

 private:
  static constexpr idx extent(idx n, const Window& w, int output_padding) {
    return n == dyn ? dyn : (n - 1) * w.stride - w.before - w.after + w.reach() + output_padding;
  }
};

}  // namespace lamina::ops
