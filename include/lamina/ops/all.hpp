/// The closed list of operations. A graph of values stores them as `Operation`; the order is that of frequency in
/// networks, which keeps constant evaluation short.
#pragma once
#include "activation.hpp"
#include "binary.hpp"
#include "cat.hpp"
#include "conv2d.hpp"
#include "conv_transpose2d.hpp"
#include "leaf.hpp"
#include "linear.hpp"
#include "loss.hpp"
#include "matmul.hpp"
#include "norm.hpp"
#include "pad.hpp"
#include "pool.hpp"
#include "reshape.hpp"
#include "softmax.hpp"
#include "upsample.hpp"
#include <variant>

namespace lamina {

/// Any operation, as a value.
using Operation =
    std::variant<ops::Input, ops::Conv2d, ops::BatchNorm, ops::Activation, ops::Binary, ops::Identity, ops::Linear,
                 ops::MaxPool2d, ops::Flatten, ops::AdaptiveAvgPool2d, ops::AvgPool2d, ops::ConvTranspose2d,
                 ops::Upsample, ops::PadTo, ops::Cat, ops::Softmax, ops::LayerNorm, ops::GroupNorm, ops::Pad, ops::Copy,
                 ops::Matmul, ops::Unsqueeze, ops::Reshape, ops::ParameterValue, ops::PairLoss, ops::CrossEntropy>;

inline constexpr int operation_kinds = int(std::variant_size_v<Operation>);

namespace detail {
template <class Op, class Variant> struct index_in;
template <class Op, class... All> struct index_in<Op, std::variant<All...>> {
  static constexpr std::size_t value = [] {
    std::size_t i = 0;
    (void)((std::is_same_v<Op, All> ? true : (++i, false)) || ...);
    return i;
  }();
};
}  // namespace detail

/// The number of an operation type in `Operation`.
template <class Op> inline constexpr std::size_t operation_index = detail::index_in<Op, Operation>::value;

/// True if the value holds an operation of this type.
template <class Op> constexpr bool is(const Operation& operation) {
  return operation.index() == operation_index<Op>;
}

/// The operation as this type; it must hold one.
template <class Op> constexpr const Op& as(const Operation& operation) {
  return *std::get_if<operation_index<Op>>(&operation);
}

/// An operation as any: Operation(op) would be the same, but has the compiler try all types first.
template <class Op> constexpr Operation operation_of(const Op& op) {
  return Operation(std::in_place_index<operation_index<Op>>, op);
}

namespace detail {
template <class... All> constexpr auto table_of_roles(const std::variant<All...>*) {
  struct Table {
    ops::Role role[sizeof...(All)];
    std::string_view name[sizeof...(All)];
  };
  return Table{{All::role...}, {All::name...}};
}
inline constexpr auto operation_table = table_of_roles(static_cast<const Operation*>(nullptr));
}  // namespace detail

constexpr ops::Role role_of(const Operation& operation) { return detail::operation_table.role[operation.index()]; }
constexpr std::string_view name_of(const Operation& operation) {
  return detail::operation_table.name[operation.index()];
}

}  // namespace lamina
