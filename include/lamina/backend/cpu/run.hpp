/// Every operation on the CPU: the kernel of the alternative that an `Operation` holds.
#pragma once
#include "../../core/error.hpp"
#include "../../ops/all.hpp"
#include "activation.hpp"
#include "binary.hpp"
#include "cat.hpp"
#include "conv2d.hpp"
#include "conv_transpose2d.hpp"
#include "copy.hpp"
#include "linear.hpp"
#include "loss.hpp"
#include "matmul.hpp"
#include "norm.hpp"
#include "pad.hpp"
#include "pool.hpp"
#include "softmax.hpp"
#include "upsample.hpp"
#include <cstdint>

namespace lamina::inline LAMINA_ISA::cpu {

/// The bit of an operation type in a mask.
template <class Op> inline constexpr std::uint64_t bit_of = std::uint64_t(1) << operation_index<Op>;

/// All operations.
inline constexpr std::uint64_t all_operations = (std::uint64_t(1) << operation_kinds) - 1;

namespace detail {
template <std::uint64_t Mask, class... All>
inline void run_alternative(const std::variant<All...>& operation, const Call& call) {
  const auto attempt = [&]<class Op>(const Op* op) {
    if constexpr (Op::role != ops::Role::leaf && Op::role != ops::Role::alias && (Mask & bit_of<Op>) != 0)
      if (op) return run(*op, call), true;
    return false;
  };
  if (!(attempt(std::get_if<All>(&operation)) || ...))
    throw error("lamina::cpu: no kernel was compiled for " + std::string(name_of(operation)));
}
}  // namespace detail

/// Runs the operation. Only kernels named by the mask, `bit_of<Op>` each, are compiled; an operation without one
/// throws. Leaves and aliases have nothing to run.
template <std::uint64_t Mask> inline void run(const Operation& operation, const Call& call) {
  detail::run_alternative<Mask>(operation, call);
}

}  // namespace lamina::inline LAMINA_ISA::cpu
