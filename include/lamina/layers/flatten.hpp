/// torch.nn.Flatten.
#pragma once
#include "../core/members.hpp"
#include "../ops/reshape.hpp"
#include "../tensor/perform.hpp"

namespace lamina {

/// Merges the dimensions StartDim to EndDim, both included, into one. PyTorch: nn.Flatten(start_dim=1, end_dim=-1).
template <int StartDim = 1, int EndDim = -1> struct Flatten {
  LAMINA_MEMBERS()
  template <class X> constexpr auto operator()(X&& x) const {
    return perform<ops::Flatten{StartDim, EndDim}>(*this, std::forward<X>(x));
  }
  static void extra_repr(auto& out) { out << "start_dim=" << StartDim << ", end_dim=" << EndDim; }
};

}  // namespace lamina
