/// Chapter 2: a U-Net from blocks. The library has this model (models::UNet); here it is written the way a user writes
/// one.
///   chapter2_unet
#include <algorithm>
#include <cmath>
#include <iostream>
#include <lamina.hpp>

using namespace lamina;

constexpr conv three_by_three{.kernel_size = 3, .padding = 1, .bias = false};

// A plain aggregate is a module: its members are its children, their names are the names in the checkpoint.
template <int In, int Out, int Mid = Out> struct DoubleConv {
  Sequential<Conv2d<In, Mid, three_by_three>, BatchNorm2d<Mid>, ReLUInplace,  //
             Conv2d<Mid, Out, three_by_three>, BatchNorm2d<Out>, ReLUInplace>
      double_conv;
  constexpr auto operator()(auto x) const { return double_conv(x); }
};

template <int In, int Out> struct Down {
  Sequential<MaxPool2d<>, DoubleConv<In, Out>> maxpool_conv;
  constexpr auto operator()(auto x) const { return maxpool_conv(x); }
};

template <int In, int Out> struct Up {
  Upsample<upsample{.scale_factor = 2, .mode = "bilinear", .align_corners = true}> up;
  DoubleConv<In, Out, In / 2> conv;
  // `low` is padded to the size of the skip connection, so odd sizes work; both are concatenated on channels.
  constexpr auto operator()(auto low, auto skip) const { return conv(cat<1>(skip, pad_to(up(low), skip))); }
};

template <int In, int Out> struct OutConv {
  Conv2d<In, Out> conv;
  constexpr auto operator()(auto x) const { return conv(x); }
};

struct UNet {
  DoubleConv<1, 8> inc;
  Down<8, 16> down1;
  Down<16, 32> down2;
  Down<32, 64> down3;
  Down<64, 64> down4;
  Up<128, 32> up1;
  Up<64, 16> up2;
  Up<32, 8> up3;
  Up<16, 8> up4;
  OutConv<8, 2> outc;

  constexpr auto operator()(auto x) const {
    auto x1 = inc(x);
    auto x2 = down1(x1);
    auto x3 = down2(x2);
    auto x4 = down3(x3);
    auto x5 = down4(x4);
    return outc(up4(up3(up2(up1(x5, x4), x3), x2), x1));
  }
};

// One class a pixel, also for sizes that 16 does not divide.
static_assert(std::is_same_v<output_shape<UNet, Shape<1, 1, 303, 384>>, Shape<1, 2, 303, 384>>);
// The same model as the library's.
static_assert(state_dict_keys<UNet> == state_dict_keys<models::UNet<1, 2, true, 8>>);
// Activations and scratch of a photograph of 303 x 384 fit into 26 MiB.
static_assert(peak_memory<UNet, Shape<1, 1, 303, 384>> < 26_MiB);

int main() {
  UNet net;
  load(net, LAMINA_EXAMPLE_DATA "/coins_unet.pth");
  std::cout << summary<Shape<1, 1, 303, 384>>(net) << '\n';

  Tensor<float, Shape<1, 1, 303, 384>> x;
  x.fill(0.5f);
  auto engine = compile<Shape<1, 1, 303, 384>>(net);
  const auto planned = engine(x);
  const auto eager = net(x);
  float difference = 0;
  for (idx i = 0; i < planned.size(); ++i)
    difference = std::max(difference, std::abs(planned.data()[i] - eager.data()[i]));
  std::cout << "the plan has " << engine.plan().steps.size() << " steps and an arena of "
            << peak_memory<UNet, Shape<1, 1, 303, 384>> / 1024 << " KiB; eager and planned logits differ by at most "
            << difference << '\n';
}
