/// torchvision.models:vgg16_bn as a lamina model, with PyTorch's names. Written by examples/from_pytorch.py.
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

namespace vgg16_bn {
using namespace lamina;

/// torchvision.models.vgg.VGG
struct VGG {
  Sequential<Conv2d<3, 64, conv{.kernel_size = 3, .padding = 1}>, BatchNorm2d<64>, ReLUInplace,
             Conv2d<64, 64, conv{.kernel_size = 3, .padding = 1}>, BatchNorm2d<64>, ReLUInplace,
             MaxPool2d<max_pool{.kernel_size = 2}>, Conv2d<64, 128, conv{.kernel_size = 3, .padding = 1}>,
             BatchNorm2d<128>, ReLUInplace, Conv2d<128, 128, conv{.kernel_size = 3, .padding = 1}>, BatchNorm2d<128>,
             ReLUInplace, MaxPool2d<max_pool{.kernel_size = 2}>, Conv2d<128, 256, conv{.kernel_size = 3, .padding = 1}>,
             BatchNorm2d<256>, ReLUInplace, Conv2d<256, 256, conv{.kernel_size = 3, .padding = 1}>, BatchNorm2d<256>,
             ReLUInplace, Conv2d<256, 256, conv{.kernel_size = 3, .padding = 1}>, BatchNorm2d<256>, ReLUInplace,
             MaxPool2d<max_pool{.kernel_size = 2}>, Conv2d<256, 512, conv{.kernel_size = 3, .padding = 1}>,
             BatchNorm2d<512>, ReLUInplace, Conv2d<512, 512, conv{.kernel_size = 3, .padding = 1}>, BatchNorm2d<512>,
             ReLUInplace, Conv2d<512, 512, conv{.kernel_size = 3, .padding = 1}>, BatchNorm2d<512>, ReLUInplace,
             MaxPool2d<max_pool{.kernel_size = 2}>, Conv2d<512, 512, conv{.kernel_size = 3, .padding = 1}>,
             BatchNorm2d<512>, ReLUInplace, Conv2d<512, 512, conv{.kernel_size = 3, .padding = 1}>, BatchNorm2d<512>,
             ReLUInplace, Conv2d<512, 512, conv{.kernel_size = 3, .padding = 1}>, BatchNorm2d<512>, ReLUInplace,
             MaxPool2d<max_pool{.kernel_size = 2}>>
      features;
  AdaptiveAvgPool2d<Size2{7, 7}> avgpool;
  Sequential<Linear<25088, 4096>, ReLUInplace, Dropout<>, Linear<4096, 4096>, ReLUInplace, Dropout<>,
             Linear<4096, 1000>>
      classifier;
  LAMINA_MEMBERS(features, avgpool, classifier)

  constexpr auto operator()(auto x) const {
    auto x1 = features(x);
    auto x2 = avgpool(x1);
    auto x3 = flatten<1>(x2);
    return classifier(x3);
  }
};

static_assert(std::is_same_v<output_shape<VGG, Shape<1, 3, 224, 224>>, Shape<1, 1000>>);
static_assert(parameter_count<VGG> == 138'365'992);

}  // namespace vgg16_bn
