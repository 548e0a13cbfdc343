/// Residual networks: Deep residual learning for image recognition (He, Zhang, Ren, Sun 2015, arXiv:1512.03385), as
/// torchvision builds them: same names, same order, same checkpoints.
#pragma once
#include "../compose/replaceable.hpp"
#include "../compose/sequential.hpp"
#include "../layers/activations.hpp"
#include "../layers/batch_norm.hpp"
#include "../layers/conv2d.hpp"
#include "../layers/functional.hpp"
#include "../layers/linear.hpp"
#include "../layers/pooling.hpp"

namespace lamina::models {

/// The shortcut of a block that changes the extents (option B of the paper): Conv 1x1 -> BatchNorm.
template <int In, int Out, int Stride>
using Downsample =
    Sequential<Conv2d<In, Out, conv{.kernel_size = 1, .stride = Stride, .bias = false}>, BatchNorm2d<Out>>;

// The classes below would be reflected without LAMINA_MEMBERS. With it every distinct block compiles 0.1 s faster,
// which counts in a network that has eight of them.

/// Two 3x3 convolutions and a shortcut (figure 5, left): [N, In, H, W] -> [N, Planes, H / Stride, W / Stride].
/// PyTorch: torchvision.models.resnet.BasicBlock.
template <int In, int Planes, int Stride = 1, class... Replaced> struct BasicBlock {
  static constexpr int expansion = 1;
  static constexpr bool projects = Stride != 1 || In != Planes;

  replaceable<"conv1", Conv2d<In, Planes, conv{.kernel_size = 3, .stride = Stride, .padding = 1, .bias = false}>,
              Replaced...>
      conv1;
  replaceable<"bn1", BatchNorm2d<Planes>, Replaced...> bn1;
  replaceable<"relu", ReLUInplace, Replaced...> relu;
  replaceable<"conv2", Conv2d<Planes, Planes, conv{.kernel_size = 3, .padding = 1, .bias = false}>, Replaced...> conv2;
  replaceable<"bn2", BatchNorm2d<Planes>, Replaced...> bn2;
  replaceable<"downsample", optional_parameter<projects, Downsample<In, Planes, Stride>>, Replaced...> downsample;
  LAMINA_MEMBERS(conv1, bn1, relu, conv2, bn2, downsample)

  constexpr auto operator()(auto x) const {
    auto y = relu(bn1(conv1(x)));
    if constexpr (projects) return relu(bn2(conv2(y)) + downsample(x));
    else return relu(bn2(conv2(y)) + x);
  }
};

/// 1x1 to Planes, 3x3, 1x1 to 4 * Planes, and a shortcut (figure 5, right):
/// [N, In, H, W] -> [N, 4 * Planes, H / Stride, W / Stride].
/// The stride is in the 3x3 convolution, as torchvision has it; the paper has it in the first 1x1. (NVIDIA calls this
/// ResNet v1.5 and measures half a point more accuracy.)
/// PyTorch: torchvision.models.resnet.Bottleneck.
template <int In, int Planes, int Stride = 1, class... Replaced> struct Bottleneck {
  static constexpr int expansion = 4;
  static constexpr bool projects = Stride != 1 || In != Planes * expansion;

  replaceable<"conv1", Conv2d<In, Planes, conv{.kernel_size = 1, .bias = false}>, Replaced...> conv1;
  replaceable<"bn1", BatchNorm2d<Planes>, Replaced...> bn1;
  replaceable<"conv2", Conv2d<Planes, Planes, conv{.kernel_size = 3, .stride = Stride, .padding = 1, .bias = false}>,
              Replaced...>
      conv2;
  replaceable<"bn2", BatchNorm2d<Planes>, Replaced...> bn2;
  replaceable<"conv3", Conv2d<Planes, Planes * expansion, conv{.kernel_size = 1, .bias = false}>, Replaced...> conv3;
  replaceable<"bn3", BatchNorm2d<Planes * expansion>, Replaced...> bn3;
  replaceable<"relu", ReLUInplace, Replaced...> relu;
  replaceable<"downsample", optional_parameter<projects, Downsample<In, Planes * expansion, Stride>>, Replaced...>
      downsample;
  LAMINA_MEMBERS(conv1, bn1, conv2, bn2, conv3, bn3, relu, downsample)

  constexpr auto operator()(auto x) const {
    auto y = relu(bn1(conv1(x)));
    auto z = relu(bn2(conv2(y)));
    if constexpr (projects) return relu(bn3(conv3(z)) + downsample(x));
    else return relu(bn3(conv3(z)) + x);
  }
};

namespace detail {
template <class First, class Rest, class Index> struct stage;
template <class First, class Rest, std::size_t... I> struct stage<First, Rest, std::index_sequence<I...>> {
  template <std::size_t> using again = Rest;
  using type = Sequential<First, again<I>...>;
};
}  // namespace detail

/// `Count` blocks, of which the first changes the extents.
template <template <int, int, int, class...> class Block, int Count, int In, int Planes, int Stride>
using Stage = typename detail::stage<Block<In, Planes, Stride>, Block<Planes * Block<1, 1, 1>::expansion, Planes, 1>,
                                     std::make_index_sequence<Count - 1>>::type;

/// Which blocks a ResNet has, and how many in each stage: `Blocks<Bottleneck, 3, 4, 6, 3>` (table 1 of the paper).
template <template <int, int, int, class...> class Block, int N2, int N3, int N4, int N5> struct Blocks {
  static constexpr int expansion = Block<1, 1, 1>::expansion;
  static constexpr int features = 512 * expansion;
  using conv2_x = Stage<Block, N2, 64, 64, 1>;
  using conv3_x = Stage<Block, N3, 64 * expansion, 128, 2>;
  using conv4_x = Stage<Block, N4, 128 * expansion, 256, 2>;
  using conv5_x = Stage<Block, N5, 256 * expansion, 512, 2>;
};

/// x [N, 3, H, W] -> logits [N, 1000]. Every layer can be exchanged:
///   auto net10 = replace<"fc">(std::move(net), Linear<2048, 10>{});
/// PyTorch: torchvision.models.resnet.ResNet(block, layers).
template <class Layers, class... Replaced> struct ResNet {
  replaceable<"conv1", Conv2d<3, 64, conv{.kernel_size = 7, .stride = 2, .padding = 3, .bias = false}>, Replaced...>
      conv1;
  replaceable<"bn1", BatchNorm2d<64>, Replaced...> bn1;
  replaceable<"relu", ReLUInplace, Replaced...> relu;
  replaceable<"maxpool", MaxPool2d<max_pool{.kernel_size = 3, .stride = 2, .padding = 1}>, Replaced...> maxpool;
  replaceable<"layer1", typename Layers::conv2_x, Replaced...> layer1;
  replaceable<"layer2", typename Layers::conv3_x, Replaced...> layer2;
  replaceable<"layer3", typename Layers::conv4_x, Replaced...> layer3;
  replaceable<"layer4", typename Layers::conv5_x, Replaced...> layer4;
  replaceable<"avgpool", AdaptiveAvgPool2d<Size2{1, 1}>, Replaced...> avgpool;
  replaceable<"fc", Linear<Layers::features, 1000>, Replaced...> fc;
  LAMINA_MEMBERS(conv1, bn1, relu, maxpool, layer1, layer2, layer3, layer4, avgpool, fc)

  constexpr auto operator()(auto x) const {
    auto c1 = relu(bn1(conv1(x)));       // [N, 64, H/2, W/2]
    auto c2 = layer1(maxpool(c1));       // [N, 64 e, H/4, W/4], e = 4 with bottlenecks
    auto c3 = layer2(c2);                // [N, 128 e, H/8, W/8]
    auto c4 = layer3(c3);                // [N, 256 e, H/16, W/16]
    auto c5 = layer4(c4);                // [N, 512 e, H/32, W/32]
    return fc(flatten<1>(avgpool(c5)));  // [N, 1000]
  }
};

/// PyTorch: torchvision.models.resnet18(), ...
using ResNet18 = ResNet<Blocks<BasicBlock, 2, 2, 2, 2>>;
using ResNet34 = ResNet<Blocks<BasicBlock, 3, 4, 6, 3>>;
using ResNet50 = ResNet<Blocks<Bottleneck, 3, 4, 6, 3>>;
using ResNet101 = ResNet<Blocks<Bottleneck, 3, 4, 23, 3>>;
using ResNet152 = ResNet<Blocks<Bottleneck, 3, 8, 36, 3>>;

}  // namespace lamina::models
