/// torch.nn.Dropout and Identity.
#pragma once
#include "../core/members.hpp"
#include "../core/size.hpp"
#include "../ops/reshape.hpp"
#include "../tensor/perform.hpp"

namespace lamina {

/// Outside training the identity. PyTorch: nn.Dropout(p=0.5, inplace=False).
template <Number P = 0.5, bool Inplace = false> struct Dropout {
  static_assert(P.value >= 0 && P.value <= 1, "lamina: Dropout: p is a probability, from 0 to 1");
  LAMINA_MEMBERS()
  template <class X> constexpr auto operator()(X&& x) const {
    return perform<ops::Identity{}>(*this, std::forward<X>(x));
  }
  static void extra_repr(auto& out) { out << "p=" << P.value << ", inplace=" << Inplace; }
};

/// y = x. PyTorch: nn.Identity().
struct Identity {
  LAMINA_MEMBERS()
  template <class X> constexpr auto operator()(X&& x) const {
    return perform<ops::Identity{}>(*this, std::forward<X>(x));
  }
};

}  // namespace lamina
