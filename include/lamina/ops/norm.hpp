/// Normalisation: torch.nn.functional.batch_norm, layer_norm, group_norm.
#pragma once
#include "operation.hpp"

namespace lamina::ops {

/// y = (x - mean) / sqrt(var + eps) * weight + bias, per channel. x [N, C] or [N, C, ...].
/// Parameters in this order, those that are there: weight, bias (affine), running_mean, running_var (tracked).
/// Without tracked statistics mean and (biased) variance are those of the batch, over all dimensions but 1.
struct BatchNorm {
  static constexpr std::string_view name = "batch_norm";
  static constexpr Role role = Role::epilogue;
  int num_features = 1;
  double eps = 1e-5;
  bool affine = true, tracked = true;
  int min_rank = 2, max_rank = 4;  // BatchNorm1d: 2 to 3, BatchNorm2d: 4

  constexpr Text check(const Dims& x) const {
    if (x.rank < min_rank || x.rank > max_rank)
      return rank_fault(min_rank == 4 ? "[N, C, H, W]" : "[N, C] or [N, C, L]", x);
    if (!compatible(num_features, x[1])) return Text{} << "the input has " << x[1] << " channels: " << x;
    return {};
  }
  constexpr Dims shape(const Dims& x) const { return x; }
  friend constexpr bool operator==(const BatchNorm&, const BatchNorm&) = default;
};

/// y = (x - mean) / sqrt(var + eps) * weight + bias, mean and biased variance over the last `normalized` dimensions,
/// whose extents are weight's and bias'.
struct LayerNorm {
  static constexpr std::string_view name = "layer_norm";
  static constexpr Role role = Role::plain;
  Dims normalized{};
  double eps = 1e-5;

  constexpr Text check(const Dims& x) const {
    bool fits = x.rank >= normalized.rank;
    for (int i = 1; fits && i <= normalized.rank; ++i)
      fits = compatible(normalized[normalized.rank - i], x[x.rank - i]);
    return fits ? Text{} : Text{} << "the input " << x << " does not end in " << normalized;
  }
  constexpr Dims shape(const Dims& x) const { return x; }
  friend constexpr bool operator==(const LayerNorm&, const LayerNorm&) = default;
};

/// y = (x - mean) / sqrt(var + eps) * weight[c] + bias[c], mean and biased variance over each of `groups` groups of
/// channels of an item. x [N, C, ...].
struct GroupNorm {
  static constexpr std::string_view name = "group_norm";
  static constexpr Role role = Role::plain;
  int groups = 1, num_channels = 1;
  double eps = 1e-5;

  constexpr Text check(const Dims& x) const {
    if (x.rank < 2) return rank_fault("[N, C, ...]", x);
    if (!compatible(num_channels, x[1])) return Text{} << "the input has " << x[1] << " channels: " << x;
    return {};
  }
  constexpr Dims shape(const Dims& x) const { return x; }
  friend constexpr bool operator==(const GroupNorm&, const GroupNorm&) = default;
};

}  // namespace lamina::ops
