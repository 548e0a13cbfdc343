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

namespace lamina::inline LAMINA_ISA::host {

/// The bit of an operation type in a mask of kernels.
static_assert(operation_kinds <= 32);
template <class Op> inline constexpr std::uint64_t bit_of = std::uint64_t(1) << operation_index<Op>;

namespace detail {
[[noreturn, gnu::cold, gnu::noinline]] inline void throw_no_kernel(const Operation& operation, Method method) {
  throw error(std::string(
      (Text{} << "lamina::cpu: no kernel was compiled for " << name_of(operation) << ", " << method_name(method))
          .view()));
}
template <std::uint64_t Kernels, class Op> bool run_if(const Operation& operation, const Call& call) {
  if constexpr (Op::role != ops::Role::leaf && Op::role != ops::Role::alias && (Kernels & bit_of<Op>) != 0) {
    if (!is<Op>(operation)) return false;
    const Op& op = as<Op>(operation);
    if constexpr (Op::role == ops::Role::producer) {
      if ((Kernels & bit_of_method(call.method)) == 0) return false;
      run<Kernels>(op, call);
    } else if constexpr ((Kernels & paired_kernels) != 0 && requires { run<Pairs>(op, call); }) {
      if (call.paired()) run<Pairs>(op, call);
      else run(op, call);
    } else run(op, call);
    return true;
  } else return false;
}
template <std::uint64_t Kernels, class... All>
bool run_alternative(const std::variant<All...>& operation, const Call& call) {
  return (run_if<Kernels, All>(operation, call) || ...);
}
}  // namespace detail

/// Runs the operation. Only kernels named by the mask are compiled; an operation without one throws. Leaves and aliases
/// have nothing to run.
template <std::uint64_t Kernels> void run(const Operation& operation, const Call& call) {
  if (!detail::run_alternative<Kernels>(operation, call)) detail::throw_no_kernel(operation, call.method);
}

}  // namespace lamina::inline LAMINA_ISA::host
