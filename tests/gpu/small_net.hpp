/// A net with weights that PyTorch saved, for tests of what is done with a model.
#pragma once
#include <lamina.hpp>

using Net = lamina::Sequential<lamina::Conv2d<2, 4, lamina::conv{.kernel_size = 3, .padding = 1}>,
                               lamina::BatchNorm2d<4>, lamina::ReLU, lamina::Flatten<>, lamina::Linear<100, 3>>;

inline Net loaded() {
  Net net;
  lamina::load(net, LAMINA_TEST_DATA "/data_parallel/weights.safetensors");
  return net;
}
