/// Every operation on the CPU: the kernel of the alternative that an `Operation` holds, and what a plan must know of
/// kernels.
#pragma once
#include "../../core/error.hpp"
#include "../../ops/all.hpp"
#include "activation.hpp"
#include "binary.hpp"
#include "cat.hpp"
#include "conv2d.hpp"
#include "conv_transpose2d.hpp"
#include "linear.hpp"
#include "loss.hpp"
#include "matmul.hpp"
#include "norm.hpp"
#include "pad.hpp"
#include "pool.hpp"
#include "reshape.hpp"
#include "softmax.hpp"
#include "upsample.hpp"
#include <cstdint>

namespace lamina::inline LAMINA_ISA::cpu {

/// Floats of scratch that a kernel needs; x is the extents of its first operand. None, unless an overload says
/// otherwise.
template <class Op> constexpr idx scratch_floats(const Op&, const Dims&) { return 0; }

/// The bit of an operation type in a mask.
template <class Op> inline constexpr std::uint64_t bit_of = std::uint64_t(1) << operation_index<Op>;

/// All operations.
inline constexpr std::uint64_t all_operations = (std::uint64_t(1) << operation_kinds) - 1;

namespace detail {
template <class... Op> constexpr std::uint64_t bits = (bit_of<Op> | ...);

inline constexpr std::uint64_t aliases = bits<ops::Identity, ops::Flatten, ops::Unsqueeze, ops::Reshape>;
inline constexpr std::uint64_t strided =
    aliases |
    bits<ops::Conv2d, ops::ConvTranspose2d, ops::BatchNorm, ops::Activation, ops::Binary, ops::MaxPool2d,
         ops::AvgPool2d, ops::AdaptiveAvgPool2d, ops::Upsample, ops::PadTo, ops::Pad, ops::GroupNorm, ops::Cat>;
inline constexpr std::uint64_t in_place = bits<ops::Activation, ops::Binary, ops::BatchNorm>;

constexpr bool has(std::uint64_t mask, const Operation& operation) { return mask >> operation.index() & 1; }

template <std::uint64_t Mask, class... All>
inline void run_alternative(const std::variant<All...>& operation, const Call& call) {
  const auto attempt = [&]<class Op>(const Op* op) {
    if constexpr (Op::role != ops::Role::leaf && (Mask & bit_of<Op>) != 0)
      if (op) return run(*op, call), true;
    return false;
  };
  if (!(attempt(std::get_if<All>(&operation)) || ...) && role_of(operation) != ops::Role::leaf)
    throw error("lamina::cpu: no kernel was compiled for " + std::string(name_of(operation)));
}

template <class... All> constexpr idx scratch_of(const std::variant<All...>& operation, const Dims& x) {
  idx n = 0;
  ((is<All>(operation) ? void(n = scratch_floats(*std::get_if<All>(&operation), x)) : void()), ...);
  return n;
}
}  // namespace detail

/// True if the kernel takes operands and results whose items lie apart; the others need contiguous ones.
constexpr bool honours_item_stride(const Operation& operation) { return detail::has(detail::strided, operation); }

/// True if the result may be written over in[0] (a binary operation's: over either operand) of the same extents.
constexpr bool works_in_place(const Operation& operation) { return detail::has(detail::in_place, operation); }

/// Floats of scratch for an operation on a first operand of extents x.
constexpr idx scratch_floats(const Operation& operation, const Dims& x) { return detail::scratch_of(operation, x); }

/// Runs the operation. Only kernels named by the mask, `bit_of<Op>` each, are compiled; an operation without one
/// throws. Leaves have nothing to run.
template <std::uint64_t Mask> inline void run(const Operation& operation, const Call& call) {
  detail::run_alternative<Mask>(operation, call);
}

}  // namespace lamina::inline LAMINA_ISA::cpu
