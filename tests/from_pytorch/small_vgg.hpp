/// tests/from_pytorch/nets.py:small_vgg as a lamina model, with PyTorch's names. Written by examples/from_pytorch.py.
#pragma once
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/batch_norm.hpp>
#include <lamina/layers/conv2d.hpp>
#include <lamina/layers/dropout.hpp>
#include <lamina/layers/functional.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/layers/pooling.hpp>
#include <lamina/meta/counts.hpp>
#include <lamina/reflect/keys.hpp>
#include <type_traits>

namespace small_vgg {
using namespace lamina;

/// torchvision.models.vgg.VGG
struct VGG {
  Sequential<Conv2d<3, 4, conv{.kernel_size = 3, .padding = 1}>, BatchNorm2d<4>, ReLUInplace,
             MaxPool2d<max_pool{.kernel_size = 2}>, Conv2d<4, 8, conv{.kernel_size = 3, .padding = 1}>, BatchNorm2d<8>,
             ReLUInplace, Conv2d<8, 8, conv{.kernel_size = 3, .padding = 1}>, BatchNorm2d<8>, ReLUInplace,
             MaxPool2d<max_pool{.kernel_size = 2}>>
      features;
  AdaptiveAvgPool2d<Size2{3, 2}> avgpool;
  Sequential<Linear<48, 16>, ReLUInplace, Dropout<>, Linear<16, 10>> classifier;
  LAMINA_MEMBERS(features, avgpool, classifier)

  constexpr auto operator()(auto x) const {
    auto x1 = features(x);
    auto x2 = avgpool(x1);
    auto x3 = flatten<1>(x2);
    return classifier(x3);
  }
};

static_assert(std::is_same_v<output_shape<VGG, Shape<2, 3, 13, 9>>, Shape<2, 10>>);
static_assert(parameter_count<VGG> == 1'986);

}  // namespace small_vgg
