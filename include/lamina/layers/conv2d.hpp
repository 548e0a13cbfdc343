/// torch.nn.Conv2d.
#pragma once
#include "../core/members.hpp"
#include "../ops/conv2d.hpp"
#include "../tensor/perform.hpp"

namespace lamina {

/// Options of Conv2d, with PyTorch's names and defaults. Sizes are one number or {height, width}; padding is also
/// "same" or "valid".
struct conv {
  Size2 kernel_size = 1;
  Size2 stride = 1;
  Padding padding = 0;
  Size2 dilation = 1;
  int groups = 1;
  bool bias = true;
  friend constexpr bool operator==(const conv&, const conv&) = default;
};

namespace detail {
/// 'same' pads dilation * (kernel - 1) in all, the smaller half before, as PyTorch does.
constexpr ops::Window window_of(int kernel, int stride, Padding::Kind kind, int padding, int dilation) {
  const int total = dilation * (kernel - 1);
  if (kind == Padding::Kind::same) return {kernel, stride, total / 2, total - total / 2, dilation};
  if (kind == Padding::Kind::valid) padding = 0;
  return {kernel, stride, padding, padding, dilation};
}
constexpr ops::Window2d window_of(const conv& o) {
  return {window_of(o.kernel_size.height, o.stride.height, o.padding.kind, o.padding.size.height, o.dilation.height),
          window_of(o.kernel_size.width, o.stride.width, o.padding.kind, o.padding.size.width, o.dilation.width)};
}
/// PyTorch shows the sizes of convolutions as pairs, also where one number was given.
constexpr Size2 as_pair(const Size2& size) { return {size.height, size.width}; }
constexpr bool is_both(const Size2& size, int n) { return size.height == n && size.width == n; }
}  // namespace detail

/// Convolution over [N, InChannels, H, W], or one image [InChannels, H, W], with zero padding -> [N, OutChannels, H',
/// W'], H' = floor((H + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1. weight [OutChannels, InChannels
/// / groups, kernel height, kernel width]. PyTorch: nn.Conv2d(in_channels, out_channels, kernel_size, stride=1,
/// padding=0, dilation=1, groups=1, bias=True).
template <int InChannels, int OutChannels, conv Options = conv{}> struct Conv2d {
  static_assert(InChannels > 0 && OutChannels > 0, "lamina: Conv2d needs at least one channel on either side");
  static_assert(Options.groups > 0 && InChannels % Options.groups == 0 && OutChannels % Options.groups == 0,
                "lamina: Conv2d: groups divides the channels on both sides");
  static_assert(Options.kernel_size.height > 0 && Options.kernel_size.width > 0,
                "lamina: Conv2d: kernel_size is at least 1");
  static_assert(Options.stride.height > 0 && Options.stride.width > 0, "lamina: Conv2d: stride is at least 1");
  static_assert(Options.dilation.height > 0 && Options.dilation.width > 0, "lamina: Conv2d: dilation is at least 1");
  static_assert(Options.padding.kind != Padding::Kind::same || detail::is_both(Options.stride, 1),
                "lamina: Conv2d: padding \"same\" needs stride 1");
  static constexpr ops::Conv2d operation{InChannels, OutChannels, Options.groups, detail::window_of(Options)};

  Parameter<Shape<OutChannels, InChannels / Options.groups, Options.kernel_size.height, Options.kernel_size.width>>
      weight;
  optional_parameter<Options.bias, Parameter<Shape<OutChannels>>> bias;
  LAMINA_MEMBERS(weight, bias)

  template <class X> constexpr auto operator()(X&& x) const& {
    return perform<operation>(*this, std::forward<X>(x), weight, bias);
  }
  template <class X> constexpr void operator()(X&&) const&& { refuse_temporary<Conv2d, X>(); }

  static void extra_repr(auto& out) {
    const auto& options = Options;  // clang 18 to 20 misread members of a template argument (llvm-project issue 146272)
    using detail::as_pair;
    out << InChannels << ", " << OutChannels << ", kernel_size=" << as_pair(options.kernel_size)
        << ", stride=" << as_pair(options.stride);
    if (options.padding.kind == Padding::Kind::same) out << ", padding=same";
    else if (options.padding.kind == Padding::Kind::valid) out << ", padding=valid";
    else if (!detail::is_both(options.padding.size, 0)) out << ", padding=" << as_pair(options.padding.size);
    if (!detail::is_both(options.dilation, 1)) out << ", dilation=" << as_pair(options.dilation);
    if (options.groups != 1) out << ", groups=" << options.groups;
    if (!options.bias) out << ", bias=" << false;
  }
};

}  // namespace lamina
