/// Fully connected layer: torch.nn.functional.linear.
#pragma once
#include "operation.hpp"

namespace lamina::ops {

/// y = x W^T + b over the last dimension. x [..., in], weight [out, in], bias [out] -> [..., out].
struct Linear {
  static constexpr std::string_view name = "linear";
  static constexpr Role role = Role::producer;
  int in_features = 1, out_features = 1;

  constexpr Text check(const Dims& x) const {
    if (x.rank == 0) return rank_fault("[..., features]", x);
    if (!compatible(in_features, x[x.rank - 1]))
      return Text{} << "the input has " << x[x.rank - 1] << " features: " << x;
    return {};
  }
  constexpr Dims shape(Dims x) const {
    x[x.rank - 1] = out_features;
    return x;
  }
  constexpr idx macs(const Dims& x) const { return count(shape(x)) * in_features; }
  friend constexpr bool operator==(const Linear&, const Linear&) = default;
};

}  // namespace lamina::ops
