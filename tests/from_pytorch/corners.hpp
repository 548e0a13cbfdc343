/// tests/from_pytorch/nets.py:Corners as a lamina model, with PyTorch's names. Written by examples/from_pytorch.py.
#pragma once
#include <lamina/compose/module_dict.hpp>
#include <lamina/compose/module_list.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/conv2d.hpp>
#include <lamina/layers/functional.hpp>
#include <lamina/layers/group_norm.hpp>
#include <lamina/layers/layer_norm.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/layers/pooling.hpp>
#include <lamina/layers/upsample.hpp>
#include <lamina/meta/counts.hpp>
#include <lamina/reflect/keys.hpp>
#include <lamina/tensor/parameter.hpp>
#include <tuple>
#include <type_traits>

namespace corners {
using namespace lamina;

/// nets.Residual
struct Residual {
  Conv2d<3, 4, lamina::conv{.kernel_size = 3, .padding = 1}> conv;
  LeakyReLU<0.2, true> relu;
  Sequential<Conv2d<3, 4, lamina::conv{.kernel_size = 1, .bias = false}>> cat;
  LAMINA_MEMBERS(conv, relu, cat)

  constexpr auto operator()(auto x) const {
    auto y = relu(conv(x) + cat(x));
    return lamina::relu(y - 0.25f) - gelu(y);
  }
};

/// nets.Residual
struct Residual2 {
  static constexpr std::string_view lamina_name = "Residual";

  Conv2d<4, 4, lamina::conv{.kernel_size = 3, .padding = 1}> conv;
  LeakyReLU<0.2, true> relu;
  Sequential<> cat;
  LAMINA_MEMBERS(conv, relu, cat)

  constexpr auto operator()(auto x) const {
    auto y = relu(conv(x) + x);
    return lamina::relu(y - 0.25f) - gelu(y);
  }
};

/// nets.Branches
struct Branches {
  ModuleList<Conv2d<4, 4, conv{.kernel_size = 1}>, Conv2d<4, 4, conv{.kernel_size = 1}>,
             Conv2d<4, 4, conv{.kernel_size = 1}>>
      steps;
  ModuleDict<named<"wide", Conv2d<4, 4, conv{.kernel_size = {1, 3}, .padding = {0, 1}}>>,
             named<"pool", AvgPool2d<avg_pool{.kernel_size = 3, .stride = 1, .padding = 1}>>>
      by_name;
  GroupNorm<2, 4> norm;
  LAMINA_MEMBERS(steps, by_name, norm)

  constexpr auto operator()(auto x) const {
    auto x1 = tanh(steps[0_c](x));
    auto x2 = tanh(steps[1_c](x1));
    auto x3 = tanh(steps[2_c](x2));
    auto x4 = norm(x3);
    auto y = by_name["wide"_m](x4);
    auto y1 = by_name["pool"_m](x4);
    return std::tuple(y, y1);
  }
};

/// nets.Linear
struct Linear {
  Parameter<Shape<5>> weight;
  Buffer<Shape<5>> shift;
  Buffer<Shape<2>, float, Persistence::transient> scratch;
  LAMINA_MEMBERS(weight, shift, scratch)

  constexpr auto operator()(auto x) const {
    auto x1 = x * weight - shift;
    return x1 + x1;
  }
};

/// nets.Corners
struct Corners {
  Sequential<named<"residual", Residual>, named<"again", Residual2>> stem;
  Branches branches;
  Linear scaled;
  ModuleList<lamina::Linear<12, 5, false>, LayerNorm<Shape<5>>> head;
  LAMINA_MEMBERS(stem, branches, scaled, head)

  constexpr auto operator()(auto x) const {
    auto x1 = stem(x);
    auto y = branches(x1);
    auto y1 = std::get<0>(y);
    auto y2 = std::get<1>(y);
    auto small = MaxPool2d<max_pool{.kernel_size = 2}>{}(y1);
    auto large = Upsample<upsample{.scale_factor = 2}>{}(small);
    auto large1 = pad_to(large, y1);
    auto both = cat<1>(large1, pad<1, -1, 0, 0>(y2), x1);
    auto both1 = AdaptiveAvgPool2d<Size2{1, 1}>{}(-both / 2.0f);
    auto y3 = head[0_c](flatten<1>(both1));
    auto y4 = head[1_c](y3);
    auto y5 = 1.0f - scaled(y4) * 3.0f;
    return softmax<-1>(y5);
  }
};

static_assert(std::is_same_v<output_shape<Corners, Shape<2, 3, 9, 7>>, Shape<2, 5>>);
static_assert(parameter_count<Corners> == 467);

}  // namespace corners
