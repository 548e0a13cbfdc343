/// Elementwise functions of one operand.
#pragma once
#include "operation.hpp"

namespace lamina::ops {

/// y = f(x), element by element; the extents stay. Formulas as in torch.nn:
///   relu        max(x, 0)
///   leaky_relu  x if x > 0, else parameter * x
///   sigmoid     1 / (1 + exp(-x))
///   tanh        tanh(x)
///   gelu        x * Phi(x) = x / 2 * (1 + erf(x / sqrt 2))
///   gelu_tanh   x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))
///   silu        x * sigmoid(x)
///   scale       parameter * x
///   shift       x + parameter
struct Activation {
  enum class Kind : unsigned char { identity, relu, leaky_relu, sigmoid, tanh, gelu, gelu_tanh, silu, scale, shift };
  static constexpr std::string_view name = "activation";
  static constexpr Role role = Role::epilogue;
  Kind kind = Kind::identity;
  float parameter = 0;

  constexpr std::string_view function() const {
    constexpr std::string_view names[] = {"identity", "relu",      "leaky_relu", "sigmoid", "tanh",
                                          "gelu",     "gelu_tanh", "silu",       "scale",   "shift"};
    return names[int(kind)];
  }
  constexpr Text check(const Dims&) const { return {}; }
  constexpr Dims shape(const Dims& x) const { return x; }
  friend constexpr bool operator==(const Activation&, const Activation&) = default;
};

}  // namespace lamina::ops
