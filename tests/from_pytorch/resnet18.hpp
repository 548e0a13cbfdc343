/// torchvision.models:resnet18 as a lamina model, with PyTorch's names. Written by examples/from_pytorch.py.
#pragma once
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/batch_norm.hpp>
#include <lamina/layers/conv2d.hpp>
#include <lamina/layers/functional.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/layers/pooling.hpp>
#include <lamina/meta/counts.hpp>
#include <lamina/reflect/keys.hpp>
#include <type_traits>

namespace resnet18 {
using namespace lamina;

/// torchvision.models.resnet.BasicBlock
template <int Channels> struct BasicBlock {
  Conv2d<Channels, Channels, conv{.kernel_size = 3, .padding = 1, .bias = false}> conv1;
  BatchNorm2d<Channels> bn1;
  ReLUInplace relu;
  Conv2d<Channels, Channels, conv{.kernel_size = 3, .padding = 1, .bias = false}> conv2;
  BatchNorm2d<Channels> bn2;
  LAMINA_MEMBERS(conv1, bn1, relu, conv2, bn2)

  constexpr auto operator()(auto x) const {
    auto out = relu(bn1(conv1(x)));
    return relu(bn2(conv2(out)) + x);
  }
};

/// torchvision.models.resnet.BasicBlock
template <int In, int Out> struct BasicBlock2 {
  static constexpr std::string_view lamina_name = "BasicBlock";

  Conv2d<In, Out, conv{.kernel_size = 3, .stride = 2, .padding = 1, .bias = false}> conv1;
  BatchNorm2d<Out> bn1;
  ReLUInplace relu;
  Conv2d<Out, Out, conv{.kernel_size = 3, .padding = 1, .bias = false}> conv2;
  BatchNorm2d<Out> bn2;
  Sequential<Conv2d<In, Out, conv{.kernel_size = 1, .stride = 2, .bias = false}>, BatchNorm2d<Out>> downsample;
  LAMINA_MEMBERS(conv1, bn1, relu, conv2, bn2, downsample)

  constexpr auto operator()(auto x) const {
    auto out = relu(bn1(conv1(x)));
    auto identity = downsample(x);
    return relu(bn2(conv2(out)) + identity);
  }
};

/// torchvision.models.resnet.ResNet
struct ResNet {
  Conv2d<3, 64, conv{.kernel_size = 7, .stride = 2, .padding = 3, .bias = false}> conv1;
  BatchNorm2d<64> bn1;
  ReLUInplace relu;
  MaxPool2d<max_pool{.kernel_size = 3, .stride = 2, .padding = 1}> maxpool;
  Sequential<BasicBlock<64>, BasicBlock<64>> layer1;
  Sequential<BasicBlock2<64, 128>, BasicBlock<128>> layer2;
  Sequential<BasicBlock2<128, 256>, BasicBlock<256>> layer3;
  Sequential<BasicBlock2<256, 512>, BasicBlock<512>> layer4;
  AdaptiveAvgPool2d<Size2{1, 1}> avgpool;
  Linear<512, 1000> fc;
  LAMINA_MEMBERS(conv1, bn1, relu, maxpool, layer1, layer2, layer3, layer4, avgpool, fc)

  constexpr auto operator()(auto x) const {
    auto x1 = relu(bn1(conv1(x)));
    auto x2 = maxpool(x1);
    auto x3 = layer1(x2);
    auto x4 = layer2(x3);
    auto x5 = layer3(x4);
    auto x6 = layer4(x5);
    auto x7 = avgpool(x6);
    auto x8 = flatten<1>(x7);
    return fc(x8);
  }
};

static_assert(std::is_same_v<output_shape<ResNet, Shape<1, 3, 224, 224>>, Shape<1, 1000>>);
static_assert(parameter_count<ResNet> == 11'689'512);

}  // namespace resnet18
