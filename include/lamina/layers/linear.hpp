/// torch.nn.Linear.
#pragma once
#include "../core/members.hpp"
#include "../ops/linear.hpp"
#include "../tensor/perform.hpp"

namespace lamina {

/// y = x W^T + b. x [..., InFeatures] -> [..., OutFeatures]; weight [OutFeatures, InFeatures], bias [OutFeatures].
/// PyTorch: nn.Linear(in_features, out_features, bias=True).
template <int InFeatures, int OutFeatures, bool Bias = true> struct Linear {
  static_assert(InFeatures > 0 && OutFeatures > 0, "lamina: Linear needs at least one feature on either side");
  static constexpr ops::Linear operation{InFeatures, OutFeatures};

  Parameter<Shape<OutFeatures, InFeatures>> weight;
  optional_parameter<Bias, Parameter<Shape<OutFeatures>>> bias;
  LAMINA_MEMBERS(weight, bias)

  template <class X> constexpr auto operator()(X&& x) const& {
    return perform<operation>(*this, std::forward<X>(x), weight, bias);
  }
  template <class X> constexpr void operator()(X&&) const&& { refuse_temporary<Linear, X>(); }

  static void extra_repr(auto& out) {
    out << "in_features=" << InFeatures << ", out_features=" << OutFeatures << ", bias=" << Bias;
  }
};

}  // namespace lamina
