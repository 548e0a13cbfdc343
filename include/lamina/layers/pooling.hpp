/// torch.nn.MaxPool2d, AvgPool2d and AdaptiveAvgPool2d.
#pragma once
#include "../core/members.hpp"
#include "../ops/pool.hpp"
#include "../tensor/perform.hpp"

namespace lamina {

/// Options of MaxPool2d, with PyTorch's names and defaults; the stride is the kernel's size where none is given.
struct max_pool {
  Size2 kernel_size = 2;
  Size2 stride = none;
  Size2 padding = 0;
  Size2 dilation = 1;
  bool ceil_mode = false;
  friend constexpr bool operator==(const max_pool&, const max_pool&) = default;
};

/// Options of AvgPool2d, with PyTorch's names and defaults; the stride is the kernel's size where none is given.
struct avg_pool {
  Size2 kernel_size = 2;
  Size2 stride = none;
  Size2 padding = 0;
  bool ceil_mode = false;
  bool count_include_pad = true;
  OptionalNumber divisor_override = none;
  friend constexpr bool operator==(const avg_pool&, const avg_pool&) = default;
};

namespace detail {
constexpr Size2 stride_of(const Size2& stride, const Size2& kernel_size) {
  return stride == Size2(none) ? kernel_size : stride;
}
constexpr ops::Window2d pool_window(Size2 kernel, Size2 stride, Size2 padding, Size2 dilation) {
  stride = stride_of(stride, kernel);
  return {{kernel.height, stride.height, padding.height, padding.height, dilation.height},
          {kernel.width, stride.width, padding.width, padding.width, dilation.width}};
}
}  // namespace detail

/// Maximum under a window, of a batch or of one image [C, H, W]. [N, C, H, W] -> [N, C, H', W'], H' = floor((H + 2 *
/// padding - dilation * (kernel_size - 1) - 1) / stride)
/// + 1, rounded up with ceil_mode. Padding counts as minus infinity.
/// PyTorch: nn.MaxPool2d(kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False).
template <max_pool Options = max_pool{}> struct MaxPool2d {
  static constexpr ops::MaxPool2d operation{
      detail::pool_window(Options.kernel_size, Options.stride, Options.padding, Options.dilation), Options.ceil_mode};
  LAMINA_MEMBERS()
  template <class X> constexpr auto operator()(X&& x) const { return perform<operation>(*this, std::forward<X>(x)); }

  static void extra_repr(auto& out) {
    const auto& options = Options;  // clang 18 to 20 misread members of a template argument (llvm-project issue 146272)
    out << "kernel_size=" << options.kernel_size
        << ", stride=" << detail::stride_of(options.stride, options.kernel_size) << ", padding=" << options.padding
        << ", dilation=" << options.dilation << ", ceil_mode=" << options.ceil_mode;
  }
};

/// Average under a window; extents as MaxPool2d.
/// PyTorch: nn.AvgPool2d(kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
/// divisor_override=None).
template <avg_pool Options = avg_pool{}> struct AvgPool2d {
  static constexpr ops::AvgPool2d operation{
      detail::pool_window(Options.kernel_size, Options.stride, Options.padding, 1), Options.ceil_mode,
      Options.count_include_pad, Options.divisor_override.given ? int(Options.divisor_override.value) : 0};
  static_assert(!Options.divisor_override.given || Options.divisor_override.value != 0,
                "lamina: AvgPool2d: divisor_override is not 0");
  LAMINA_MEMBERS()
  template <class X> constexpr auto operator()(X&& x) const { return perform<operation>(*this, std::forward<X>(x)); }

  static void extra_repr(auto& out) {
    const auto& options = Options;  // clang 18 to 20 misread members of a template argument (llvm-project issue 146272)
    out << "kernel_size=" << options.kernel_size
        << ", stride=" << detail::stride_of(options.stride, options.kernel_size) << ", padding=" << options.padding;
  }
};

/// Average to a fixed height and width, also where they do not divide the input's; `none` keeps an extent:
/// `AdaptiveAvgPool2d<1>`, `AdaptiveAvgPool2d<Size2{7, none}>`. PyTorch: nn.AdaptiveAvgPool2d(output_size).
template <Size2 OutputSize> struct AdaptiveAvgPool2d {
  static constexpr ops::AdaptiveAvgPool2d operation{OutputSize.height, OutputSize.width};
  LAMINA_MEMBERS()
  template <class X> constexpr auto operator()(X&& x) const { return perform<operation>(*this, std::forward<X>(x)); }

  static void extra_repr(auto& out) { out << "output_size=" << OutputSize; }
};

}  // namespace lamina
