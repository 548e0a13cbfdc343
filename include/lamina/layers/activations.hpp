/// Elementwise activations: torch.nn.ReLU, LeakyReLU, Sigmoid, Tanh, GELU, SiLU. All keep the extents of their operand.
/// `inplace` is kept for the printed text; it changes no result.
#pragma once
#include "../core/members.hpp"
#include "../core/size.hpp"
#include "../ops/activation.hpp"
#include "../tensor/perform.hpp"

namespace lamina {

namespace detail {
/// What the activations share: an operation and no members.
template <ops::Activation Operation> struct Activation {
  static constexpr ops::Activation operation = Operation;
  LAMINA_MEMBERS()
  template <class X> constexpr auto operator()(X&& x) const { return perform<Operation>(*this, std::forward<X>(x)); }
};
}  // namespace detail

/// max(x, 0). PyTorch: nn.ReLU(inplace).
template <bool Inplace> struct BasicReLU : detail::Activation<ops::Activation{ops::Activation::Kind::relu}> {
  static constexpr std::string_view lamina_name = "ReLU";
  static void extra_repr(auto& out) {
    if (Inplace) out << "inplace=" << true;
  }
};
using ReLU = BasicReLU<false>;
/// PyTorch: nn.ReLU(inplace=True).
using ReLUInplace = BasicReLU<true>;

/// x if x > 0, else NegativeSlope * x. PyTorch: nn.LeakyReLU(negative_slope=0.01, inplace=False).
template <Number NegativeSlope = 0.01, bool Inplace = false>
struct LeakyReLU : detail::Activation<ops::Activation{ops::Activation::Kind::leaky_relu, float(NegativeSlope.value)}> {
  static void extra_repr(auto& out) {
    out << "negative_slope=" << NegativeSlope.value;
    if (Inplace) out << ", inplace=" << true;
  }
};

/// 1 / (1 + exp(-x)).
struct Sigmoid : detail::Activation<ops::Activation{ops::Activation::Kind::sigmoid}> {};

/// tanh(x).
struct Tanh : detail::Activation<ops::Activation{ops::Activation::Kind::tanh}> {};

/// How GELU is computed: "none" (exactly, with erf) or "tanh".
struct Approximation {
  bool tanh = false;
  constexpr Approximation(const char* word)
      : tanh(detail::equal_words(word, "tanh")   ? true
             : detail::equal_words(word, "none") ? false
                                                 : throw "approximate is \"none\" or \"tanh\"") {}
  friend constexpr bool operator==(const Approximation&, const Approximation&) = default;
};

/// x * Phi(x), Phi the normal distribution, or its approximation by tanh. PyTorch: nn.GELU(approximate='none').
template <Approximation Approximate = Approximation("none")>
struct GELU : detail::Activation<ops::Activation{Approximate.tanh ? ops::Activation::Kind::gelu_tanh
                                                                  : ops::Activation::Kind::gelu}> {
  static void extra_repr(auto& out) { out << "approximate='" << (Approximate.tanh ? "tanh" : "none") << "'"; }
};

/// x * sigmoid(x). PyTorch: nn.SiLU(inplace).
template <bool Inplace> struct BasicSiLU : detail::Activation<ops::Activation{ops::Activation::Kind::silu}> {
  static constexpr std::string_view lamina_name = "SiLU";
  static void extra_repr(auto& out) {
    if (Inplace) out << "inplace=" << true;
  }
};
using SiLU = BasicSiLU<false>;
/// PyTorch: nn.SiLU(inplace=True).
using SiLUInplace = BasicSiLU<true>;

}  // namespace lamina
