/// The nets that are compared, with the extents of their inputs for N items.
#pragma once
#include <lamina.hpp>

namespace benchmark_nets {

using namespace lamina;

struct resnet50 {
  using Net = models::ResNet50;
  template <idx N> using Input = Shape<N, 3, 224, 224>;
};
struct resnet18 {
  using Net = models::ResNet18;
  template <idx N> using Input = Shape<N, 3, 224, 224>;
};
struct unet {
  using Net = models::UNet<3, 2>;
  template <idx N> using Input = Shape<N, 3, 256, 256>;
};
struct mlp {
  using Net = Sequential<Linear<784, 256>, ReLU, Linear<256, 10>>;
  template <idx N> using Input = Shape<N, 784>;
};

}  // namespace benchmark_nets
