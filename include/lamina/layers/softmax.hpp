/// torch.nn.Softmax and LogSoftmax.
#pragma once
#include "../core/members.hpp"
#include "../ops/softmax.hpp"
#include "../tensor/perform.hpp"

namespace lamina {

/// exp(x) / sum of exp(x) along dimension Dim (negative from the back). PyTorch: nn.Softmax(dim).
template <int Dim> struct Softmax {
  LAMINA_MEMBERS()
  template <class X> constexpr auto operator()(X&& x) const {
    return perform<ops::Softmax{Dim, false}>(*this, std::forward<X>(x));
  }
  static void extra_repr(auto& out) { out << "dim=" << Dim; }
};

/// log(softmax(x)) along dimension Dim. PyTorch: nn.LogSoftmax(dim).
template <int Dim> struct LogSoftmax {
  LAMINA_MEMBERS()
  template <class X> constexpr auto operator()(X&& x) const {
    return perform<ops::Softmax{Dim, true}>(*this, std::forward<X>(x));
  }
  static void extra_repr(auto& out) { out << "dim=" << Dim; }
};

}  // namespace lamina
