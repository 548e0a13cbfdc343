/// The parameters of a convolution, transposed convolution or linear layer, and of a batch norm that is folded in.
#pragma once
#include "../core/shape.hpp"

namespace lamina {

/// A producer's parameters as they are stored, and those of a batch norm behind it; null where there is none.
struct ProducerWeights {
  const float *weight = nullptr, *bias = nullptr;
  const float *gamma = nullptr, *beta = nullptr, *mean = nullptr, *variance = nullptr;  ///< no mean: no norm
  double eps = 0;

  /// What the norm multiplies output channel o with: gamma / sqrt(variance + eps).
  double factor(idx o) const {
    return mean ? (gamma ? double(gamma[o]) : 1.) / __builtin_sqrt(double(variance[o]) + eps) : 1.;
  }
  /// beta + factor * (bias - mean)
  double shift(idx o) const {
    const double own = bias ? double(bias[o]) : 0.;
    return mean ? (beta ? double(beta[o]) : 0.) + factor(o) * (own - double(mean[o])) : own;
  }
};

}  // namespace lamina
