/// torch.nn.ConvTranspose2d.
#pragma once
#include "../ops/conv_transpose2d.hpp"
#include "conv2d.hpp"

namespace lamina {

/// Options of ConvTranspose2d, with PyTorch's names and defaults.
struct conv_transpose {
  Size2 kernel_size = 1;
  Size2 stride = 1;
  Size2 padding = 0;
  Size2 output_padding = 0;
  int groups = 1;
  bool bias = true;
  Size2 dilation = 1;
  friend constexpr bool operator==(const conv_transpose&, const conv_transpose&) = default;
};

/// Transposed convolution over [N, InChannels, H, W], or one image [InChannels, H, W] -> [N, OutChannels, H', W'], H' =
/// (H - 1) * stride - 2 * padding + dilation * (kernel_size - 1) + output_padding + 1. weight [InChannels, OutChannels
/// / groups, kernel height, kernel width]. PyTorch: nn.ConvTranspose2d(in_channels, out_channels, kernel_size,
/// stride=1, padding=0, output_padding=0, groups=1, bias=True, dilation=1).
template <int InChannels, int OutChannels, conv_transpose Options = conv_transpose{}> struct ConvTranspose2d {
  static_assert(InChannels > 0 && OutChannels > 0, "lamina: ConvTranspose2d needs at least one channel on either side");
  static_assert(Options.groups > 0 && InChannels % Options.groups == 0 && OutChannels % Options.groups == 0,
                "lamina: ConvTranspose2d: groups divides the channels on both sides");
  static_assert(Options.kernel_size.height > 0 && Options.kernel_size.width > 0,
                "lamina: ConvTranspose2d: kernel_size is at least 1");
  static_assert(Options.output_padding.height < Options.stride.height ||
                    Options.output_padding.height < Options.dilation.height,
                "lamina: ConvTranspose2d: output_padding is smaller than stride or dilation");
  static_assert(Options.output_padding.width < Options.stride.width ||
                    Options.output_padding.width < Options.dilation.width,
                "lamina: ConvTranspose2d: output_padding is smaller than stride or dilation");
  static constexpr ops::ConvTranspose2d operation{
      InChannels,
      OutChannels,
      Options.groups,
      detail::window_of(conv{Options.kernel_size, Options.stride,
                             Padding(Options.padding.height, Options.padding.width), Options.dilation}),
      Options.output_padding.height,
      Options.output_padding.width};

  Parameter<Shape<InChannels, OutChannels / Options.groups, Options.kernel_size.height, Options.kernel_size.width>>
      weight;
  optional_parameter<Options.bias, Parameter<Shape<OutChannels>>> bias;
  LAMINA_MEMBERS(weight, bias)

  template <class X> constexpr auto operator()(X&& x) const& {
    return perform<operation>(*this, std::forward<X>(x), weight, bias);
  }
  template <class X> constexpr void operator()(X&&) const&& { refuse_temporary<ConvTranspose2d, X>(); }

  static void extra_repr(auto& out) {
    const auto& options = Options;  // clang 18 to 20 misread members of a template argument (llvm-project issue 146272)
    using detail::as_pair;
    out << InChannels << ", " << OutChannels << ", kernel_size=" << as_pair(options.kernel_size)
        << ", stride=" << as_pair(options.stride);
    if (!detail::is_both(options.padding, 0)) out << ", padding=" << as_pair(options.padding);
    if (!detail::is_both(options.dilation, 1)) out << ", dilation=" << as_pair(options.dilation);
    if (!detail::is_both(options.output_padding, 0)) out << ", output_padding=" << as_pair(options.output_padding);
    if (options.groups != 1) out << ", groups=" << options.groups;
    if (!options.bias) out << ", bias=" << false;
  }
};

}  // namespace lamina
