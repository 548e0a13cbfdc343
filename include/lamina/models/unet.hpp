/// U-Net: convolutional networks for biomedical image segmentation (Ronneberger, Fischer, Brox 2015, arXiv:1505.04597),
/// with the names of the well-known PyTorch version, so that its checkpoints load.
#pragma once
#include "../compose/replaceable.hpp"
#include "../compose/sequential.hpp"
#include "../layers/activations.hpp"
#include "../layers/batch_norm.hpp"
#include "../layers/conv2d.hpp"
#include "../layers/conv_transpose2d.hpp"
#include "../layers/functional.hpp"
#include "../layers/pooling.hpp"
#include "../layers/upsample.hpp"

namespace lamina::models {

// The classes below would be reflected without LAMINA_MEMBERS. With it every distinct block compiles up to 0.1 s
// faster, which counts in a network that has nineteen of them.

/// [Conv 3x3 -> BatchNorm -> ReLU] twice, In -> Mid -> Out channels; height and width stay.
template <int In, int Out, int Mid = Out, class... Replaced> struct DoubleConv {
  replaceable<
      "double_conv",
      Sequential<Conv2d<In, Mid, conv{.kernel_size = 3, .padding = 1, .bias = false}>, BatchNorm2d<Mid>, ReLUInplace,
                 Conv2d<Mid, Out, conv{.kernel_size = 3, .padding = 1, .bias = false}>, BatchNorm2d<Out>, ReLUInplace>,
      Replaced...>
      double_conv;
  LAMINA_MEMBERS(double_conv)

  constexpr auto operator()(auto x) const { return double_conv(x); }
};

/// Half the height and width, Out channels.
template <int In, int Out, class... Replaced> struct Down {
  replaceable<"maxpool_conv", Sequential<MaxPool2d<>, DoubleConv<In, Out>>, Replaced...> maxpool_conv;
  LAMINA_MEMBERS(maxpool_conv)

  constexpr auto operator()(auto x) const { return maxpool_conv(x); }
};

/// Doubles the height and width of `low`, pads it to those of `skip`, and convolves both. skip and low have In channels
/// together: bilinear interpolation keeps those of low, a transposed convolution takes In and halves them.
template <int In, int Out, bool Bilinear = true, class... Replaced> struct Up {
  using Upscale =
      std::conditional_t<Bilinear, Upsample<upsample{.scale_factor = 2, .mode = "bilinear", .align_corners = true}>,
                         ConvTranspose2d<In, In / 2, conv_transpose{.kernel_size = 2, .stride = 2}>>;
  replaceable<"up", Upscale, Replaced...> up;
  replaceable<"conv", DoubleConv<In, Out, Bilinear ? In / 2 : Out>, Replaced...> conv;
  LAMINA_MEMBERS(up, conv)

  constexpr auto operator()(auto low, auto skip) const { return conv(cat<1>(skip, pad_to(up(low), skip))); }
};

/// 1x1 convolution to the classes.
template <int In, int Out, class... Replaced> struct OutConv {
  replaceable<"conv", Conv2d<In, Out>, Replaced...> conv;
  LAMINA_MEMBERS(conv)

  constexpr auto operator()(auto x) const { return conv(x); }
};

/// x [N, Channels, H, W] -> logits [N, Classes, H, W], for any H and W from 16 on. Base is the width of the first
/// block; the published net has 64. PyTorch: UNet(n_channels, n_classes, bilinear) of milesial/Pytorch-UNet.
template <int Channels, int Classes, bool Bilinear = true, int Base = 64, class... Replaced> struct UNet {
  static_assert(Base > 0 && Base % 2 == 0, "lamina: UNet: Base is even: bilinear blocks halve it");
  static constexpr int factor = Bilinear ? 2 : 1;

  replaceable<"inc", DoubleConv<Channels, Base>, Replaced...> inc;
  replaceable<"down1", Down<Base, 2 * Base>, Replaced...> down1;
  replaceable<"down2", Down<2 * Base, 4 * Base>, Replaced...> down2;
  replaceable<"down3", Down<4 * Base, 8 * Base>, Replaced...> down3;
  replaceable<"down4", Down<8 * Base, 16 * Base / factor>, Replaced...> down4;
  replaceable<"up1", Up<16 * Base, 8 * Base / factor, Bilinear>, Replaced...> up1;
  replaceable<"up2", Up<8 * Base, 4 * Base / factor, Bilinear>, Replaced...> up2;
  replaceable<"up3", Up<4 * Base, 2 * Base / factor, Bilinear>, Replaced...> up3;
  replaceable<"up4", Up<2 * Base, Base, Bilinear>, Replaced...> up4;
  replaceable<"outc", OutConv<Base, Classes>, Replaced...> outc;
  LAMINA_MEMBERS(inc, down1, down2, down3, down4, up1, up2, up3, up4, outc)

  constexpr auto operator()(auto x) const {
    auto x1 = inc(x);
    auto x2 = down1(x1);
    auto x3 = down2(x2);
    auto x4 = down3(x3);
    auto x5 = down4(x4);
    auto y4 = up1(x5, x4);
    auto y3 = up2(y4, x3);
    auto y2 = up3(y3, x2);
    auto y1 = up4(y2, x1);
    return outc(y1);
  }
};

}  // namespace lamina::models
