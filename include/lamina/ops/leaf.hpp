/// The leaves of a graph: inputs of the model and parameters that are used as values.
#pragma once
#include "operation.hpp"

namespace lamina::ops {

/// The argument number `index` of the model's call.
struct Input {
  static constexpr std::string_view name = "input";
  static constexpr Role role = Role::leaf;
  int index = 0;
  friend constexpr bool operator==(const Input&, const Input&) = default;
};

/// A parameter or buffer used as an operand: `x * scale`.
struct ParameterValue {
  static constexpr std::string_view name = "parameter";
  static constexpr Role role = Role::leaf;
  friend constexpr bool operator==(const ParameterValue&, const ParameterValue&) = default;
};

}  // namespace lamina::ops
