/// torch.nn.GroupNorm.
#pragma once
#include "../core/members.hpp"
#include "../ops/norm.hpp"
#include "../tensor/perform.hpp"

namespace lamina {

/// Options of GroupNorm, with PyTorch's names and defaults.
struct group_norm {
  double eps = 1e-5;
  bool affine = true;
  friend constexpr bool operator==(const group_norm&, const group_norm&) = default;
};

/// y = (x - mean) / sqrt(var + eps) * weight[c] + bias[c], statistics over each of NumGroups groups of channels of
/// every item of [N, NumChannels, ...]. PyTorch: nn.GroupNorm(num_groups, num_channels, eps=1e-05, affine=True).
template <int NumGroups, int NumChannels, group_norm Options = group_norm{}> struct GroupNorm {
  static_assert(NumGroups > 0 && NumChannels % NumGroups == 0, "lamina: GroupNorm: num_groups divides num_channels");
  static constexpr ops::GroupNorm operation{NumGroups, NumChannels, Options.eps};

  optional_parameter<Options.affine, Parameter<Shape<NumChannels>>> weight;
  optional_parameter<Options.affine, Parameter<Shape<NumChannels>>> bias;
  LAMINA_MEMBERS(weight, bias)

  template <class X> constexpr auto operator()(X&& x) const& {
    return perform<operation>(*this, std::forward<X>(x), weight, bias);
  }
  template <class X> constexpr void operator()(X&&) const&& { refuse_temporary<GroupNorm, X>(); }

  static void extra_repr(auto& out) {
    out << NumGroups << ", " << NumChannels << ", eps=" << Options.eps << ", affine=" << Options.affine
        << ", bias=" << Options.affine;
  }
};

}  // namespace lamina
