/// Weights whose variance keeps that of what flows through a layer: torch.nn.init.kaiming_uniform_, kaiming_normal_,
/// xavier_uniform_, xavier_normal_.
#pragma once
#include "fill.hpp"
#include <cmath>

namespace lamina {

/// What follows on a layer, for calculate_gain.
enum class Nonlinearity : unsigned char { linear, sigmoid, tanh, relu, leaky_relu, selu };

/// Whether the variance is kept on the way forward or backward.
enum class Fan : unsigned char { fan_in, fan_out };

/// Options of kaiming_uniform_ and kaiming_normal_, with PyTorch's names and defaults.
struct kaiming {
  double a = 0;  ///< the negative slope behind leaky_relu
  Fan mode = Fan::fan_in;
  Nonlinearity nonlinearity = Nonlinearity::leaky_relu;
};

/// The factor on a standard deviation for what follows: relu sqrt(2), leaky_relu sqrt(2 / (1 + slope^2)), tanh 5/3,
/// selu 3/4, else 1. PyTorch: nn.init.calculate_gain(nonlinearity, param=0.01).
inline double calculate_gain(Nonlinearity nonlinearity, double negative_slope = 0.01) {
  switch (nonlinearity) {
  case Nonlinearity::tanh: return 5.0 / 3;
  case Nonlinearity::relu: return std::sqrt(2.0);
  case Nonlinearity::leaky_relu: return std::sqrt(2 / (1 + negative_slope * negative_slope));
  case Nonlinearity::selu: return 3.0 / 4;
  default: return 1;
  }
}

namespace detail {
/// The numbers of elements that one output reads, and that one input reaches.
struct Fans {
  idx in = 0, out = 0;
};
/// weight [out, in, kernel...], as torch.nn.init._calculate_fan_in_and_fan_out reads it.
template <class P> constexpr Fans fans_of() {
  constexpr Dims dims = P::shape_type::dims;
  if constexpr (dims.rank < 2)
    fail<Text{} << "fan_in and fan_out need at least two dimensions, the parameter is " << dims>();
  return {product(dims, 1, dims.rank), dims[0] * product(dims, 2, dims.rank)};
}
}  // namespace detail

/// Numbers from -bound to bound, bound = gain * sqrt(3 / fan): Delving deep into rectifiers (He, Zhang, Ren, Sun 2015,
/// arXiv:1502.01852). PyTorch: nn.init.kaiming_uniform_(tensor, a=0, mode='fan_in', nonlinearity='leaky_relu').
template <class P> void kaiming_uniform_(P& weight, Generator& generator, const kaiming& options = {}) {
  constexpr detail::Fans fans = detail::fans_of<P>();
  const idx fan = options.mode == Fan::fan_in ? fans.in : fans.out;
  const double std = calculate_gain(options.nonlinearity, options.a) / std::sqrt(double(fan));
  const double bound = std::sqrt(3.0) * std;
  uniform_(weight, generator, -bound, bound);
}

/// Normally distributed numbers, std = gain / sqrt(fan). Paper and options as kaiming_uniform_. PyTorch:
/// nn.init.kaiming_normal_.
template <class P> void kaiming_normal_(P& weight, Generator& generator, const kaiming& options = {}) {
  constexpr detail::Fans fans = detail::fans_of<P>();
  const idx fan = options.mode == Fan::fan_in ? fans.in : fans.out;
  normal_(weight, generator, 0, calculate_gain(options.nonlinearity, options.a) / std::sqrt(double(fan)));
}

/// Numbers from -bound to bound, bound = gain * sqrt(6 / (fan_in + fan_out)): Understanding the difficulty of training
/// deep feedforward neural networks (Glorot, Bengio 2010). PyTorch: nn.init.xavier_uniform_(tensor, gain=1.0).
template <class P> void xavier_uniform_(P& weight, Generator& generator, double gain = 1) {
  constexpr detail::Fans fans = detail::fans_of<P>();
  const double bound = std::sqrt(3.0) * (gain * std::sqrt(2.0 / double(fans.in + fans.out)));
  uniform_(weight, generator, -bound, bound);
}

/// Normally distributed numbers, std = gain * sqrt(2 / (fan_in + fan_out)). PyTorch: nn.init.xavier_normal_(tensor,
/// gain=1.0).
template <class P> void xavier_normal_(P& weight, Generator& generator, double gain = 1) {
  constexpr detail::Fans fans = detail::fans_of<P>();
  normal_(weight, generator, 0, gain * std::sqrt(2.0 / double(fans.in + fans.out)));
}

}  // namespace lamina
