/// Softmax and its logarithm: torch.softmax, log_softmax.
#pragma once
#include "operation.hpp"

namespace lamina::ops {

/// y = exp(x - m) / sum of exp(x - m) along a dimension, m its maximum; or the logarithm of it.
struct Softmax {
  static constexpr std::string_view name = "softmax";
  static constexpr Role role = Role::plain;
  int dim = -1;
  bool log = false;

  constexpr Text check(const Dims& x) const {
    const int d = wrap_dim(dim, x.rank);
    return d >= 0 && d < x.rank ? Text{} : Text{} << "dimension " << dim << " is out of range for " << x;
  }
  constexpr Dims shape(const Dims& x) const { return x; }
  friend constexpr bool operator==(const Softmax&, const Softmax&) = default;
};

}  // namespace lamina::ops
