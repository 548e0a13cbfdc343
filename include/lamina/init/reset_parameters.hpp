/// The values that PyTorch's layers have when they are made.
#pragma once
#include "../ops/conv2d.hpp"
#include "../ops/conv_transpose2d.hpp"
#include "../ops/linear.hpp"
#include "../ops/norm.hpp"
#include "../reflect/module.hpp"
#include "variance.hpp"
#include <cmath>

namespace lamina {

namespace detail {
template <class Op>
concept product_operation =
    std::is_same_v<Op, ops::Conv2d> || std::is_same_v<Op, ops::ConvTranspose2d> || std::is_same_v<Op, ops::Linear>;
template <class Op>
concept norm_operation =
    std::is_same_v<Op, ops::BatchNorm> || std::is_same_v<Op, ops::LayerNorm> || std::is_same_v<Op, ops::GroupNorm>;

template <class P> void fill_if_there(P& parameter, double value) {
  if constexpr (stored<P>) constant_(parameter, value);
}

struct ResetModule {
  Generator& generator;

  template <class M> void operator()(const Path&, M& module) const {
    if constexpr (requires { module.reset_parameters(generator); }) module.reset_parameters(generator);
    else if constexpr (requires { M::operation; }) reset<std::remove_const_t<decltype(M::operation)>>(module);
  }

 private:
  template <product_operation Op, class M> void reset(M& layer) const {
    using Weight = std::remove_cvref_t<decltype(layer.weight)>;
    kaiming_uniform_(layer.weight, generator, {.a = std::sqrt(5.0)});
    if constexpr (stored<std::remove_cvref_t<decltype(layer.bias)>>) {
      const double bound = 1 / std::sqrt(double(fans_of<Weight>().in));
      uniform_(layer.bias, generator, -bound, bound);
    }
  }
  template <norm_operation Op, class M> void reset(M& layer) const {
    fill_if_there(layer.weight, 1);
    fill_if_there(layer.bias, 0);
    if constexpr (std::is_same_v<Op, ops::BatchNorm>) {
      fill_if_there(layer.running_mean, 0);
      fill_if_there(layer.running_var, 1);
      fill_if_there(layer.num_batches_tracked, 0);
    }
  }
  template <class Op, class M> void reset(M&) const {}
};
}  // namespace detail

/// Gives every layer the values that PyTorch's has when it is made, in the order of the members, which is that of
/// construction in Python for nets that make their layers in this order:
///   convolutions, linear layers   weight kaiming_uniform_ with a = sqrt(5), bias uniform in +-1 / sqrt(fan_in)
///   norms                         weight 1, bias 0, running mean 0 and variance 1
/// A module of yours may say it itself: `void reset_parameters(Generator& generator)`. Parameters that nobody resets
/// stay as they are; one that was never written is named when it is read. Normal use:
///   Generator generator(0);  // torch.manual_seed(0)
///   reset_parameters(net, generator);
/// PyTorch: reset_parameters of each layer.
template <module M> void reset_parameters(M& net, Generator& generator) {
  for_each_module(net, detail::ResetModule{generator});
}

}  // namespace lamina
