/// Pooling: torch.nn.functional.max_pool2d, avg_pool2d, adaptive_avg_pool2d.
#pragma once
#include "window.hpp"

namespace lamina::ops {

/// A fault if a pooling window has more padding than half its kernel, as PyTorch demands.
constexpr Text check_pool(const Dims& x, const Window2d& w) {
  if (2 * w.height.before > w.height.kernel || 2 * w.width.before > w.width.kernel)
    return Text{} << "padding is more than half of the kernel";
  return check_window(x, w);
}

/// Maximum under the window; padding counts as minus infinity, NaN wins.
struct MaxPool2d {
  static constexpr std::string_view name = "max_pool2d";
  static constexpr Role role = Role::plain;
  static constexpr bool takes_one_image = true;
  Window2d window{};
  bool ceil_mode = false;

  constexpr Text check(const Dims& x) const { return check_pool(x, window); }
  constexpr Dims shape(const Dims& x) const { return window_dims(x, x[1], window, ceil_mode); }
  friend constexpr bool operator==(const MaxPool2d&, const MaxPool2d&) = default;
};

/// Sum under the window divided by `divisor` if it is not 0, else by the elements under the window: with
/// `count_include_pad` those of the padding too (but none beyond it), without only those of the input.
struct AvgPool2d {
  static constexpr std::string_view name = "avg_pool2d";
  static constexpr Role role = Role::plain;
  static constexpr bool takes_one_image = true;
  Window2d window{};
  bool ceil_mode = false, count_include_pad = true;
  int divisor = 0;

  constexpr Text check(const Dims& x) const { return check_pool(x, window); }
  constexpr Dims shape(const Dims& x) const { return window_dims(x, x[1], window, ceil_mode); }
  friend constexpr bool operator==(const AvgPool2d&, const AvgPool2d&) = default;
};

/// Average to a fixed size: output i covers the inputs floor(i * H / height) to ceil((i + 1) * H / height) - 1.
/// An extent of `none` stays as it is.
struct AdaptiveAvgPool2d {
  static constexpr std::string_view name = "adaptive_avg_pool2d";
  static constexpr Role role = Role::plain;
  static constexpr bool takes_one_image = true;
  int height = 1, width = 1;

  constexpr Text check(const Dims& x) const { return x.rank == 4 ? Text{} : rank_fault("[N, C, H, W]", x); }
  constexpr Dims shape(const Dims& x) const {
    return {x[0], x[1], height == none ? x[2] : height, width == none ? x[3] : width};
  }
  friend constexpr bool operator==(const AdaptiveAvgPool2d&, const AdaptiveAvgPool2d&) = default;
};

}  // namespace lamina::ops
