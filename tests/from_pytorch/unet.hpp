/// benchmarks/unet.py:UNet(3, 2) as a lamina model, with PyTorch's names. Written by examples/from_pytorch.py.
#pragma once
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/batch_norm.hpp>
#include <lamina/layers/conv2d.hpp>
#include <lamina/layers/functional.hpp>
#include <lamina/layers/pooling.hpp>
#include <lamina/layers/upsample.hpp>
#include <lamina/meta/counts.hpp>
#include <lamina/reflect/keys.hpp>
#include <type_traits>

namespace unet {
using namespace lamina;

/// unet.DoubleConv
template <int In, int Width, int Out> struct DoubleConv {
  Sequential<Conv2d<In, Width, conv{.kernel_size = 3, .padding = 1, .bias = false}>, BatchNorm2d<Width>, ReLUInplace,
             Conv2d<Width, Out, conv{.kernel_size = 3, .padding = 1, .bias = false}>, BatchNorm2d<Out>, ReLUInplace>
      double_conv;
  LAMINA_MEMBERS(double_conv)

  constexpr auto operator()(auto x) const { return double_conv(x); }
};

/// unet.Down
template <int In, int Out> struct Down {
  Sequential<MaxPool2d<max_pool{.kernel_size = 2}>, DoubleConv<In, Out, Out>> maxpool_conv;
  LAMINA_MEMBERS(maxpool_conv)

  constexpr auto operator()(auto x) const { return maxpool_conv(x); }
};

/// unet.Up
template <int In, int Width, int Out> struct Up {
  Upsample<upsample{.scale_factor = 2, .mode = "bilinear", .align_corners = true}> up;
  DoubleConv<In, Width, Out> conv;
  LAMINA_MEMBERS(up, conv)

  constexpr auto operator()(auto low, auto skip) const {
    auto low1 = up(low);
    auto low2 = pad_to(low1, skip);
    return conv(cat<1>(skip, low2));
  }
};

/// unet.OutConv
struct OutConv {
  Conv2d<64, 2, lamina::conv{.kernel_size = 1}> conv;
  LAMINA_MEMBERS(conv)

  constexpr auto operator()(auto x) const { return conv(x); }
};

/// unet.UNet
struct UNet {
  DoubleConv<3, 64, 64> inc;
  Down<64, 128> down1;
  Down<128, 256> down2;
  Down<256, 512> down3;
  Down<512, 512> down4;
  Up<1024, 512, 256> up1;
  Up<512, 256, 128> up2;
  Up<256, 128, 64> up3;
  Up<128, 64, 64> up4;
  OutConv outc;
  LAMINA_MEMBERS(inc, down1, down2, down3, down4, up1, up2, up3, up4, outc)

  constexpr auto operator()(auto x) const {
    auto x1 = inc(x);
    auto x2 = down1(x1);
    auto x3 = down2(x2);
    auto x4 = down3(x3);
    auto x5 = down4(x4);
    auto y = up1(x5, x4);
    auto y1 = up2(y, x3);
    auto y2 = up3(y1, x2);
    auto y3 = up4(y2, x1);
    return outc(y3);
  }
};

static_assert(std::is_same_v<output_shape<UNet, Shape<1, 3, 256, 256>>, Shape<1, 2, 256, 256>>);
static_assert(parameter_count<UNet> == 17'263'042);

}  // namespace unet
