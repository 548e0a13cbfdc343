/// The kernel of any operation.
#pragma once
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

namespace lamina::gpu {

namespace detail {
template <class Op> bool make_if(const Operation& operation, const KernelCall& call, Kernel& kernel) {
  if constexpr (Op::role != ops::Role::leaf) {
    if (!is<Op>(operation)) return false;
    kernel = make_kernel(as<Op>(operation), call);
    return true;
  } else return false;
}
template <class... All> Kernel make_alternative(const std::variant<All...>& operation, const KernelCall& call) {
  Kernel kernel;
  if (!(make_if<All>(operation, call, kernel) || ...))
    throw error("lamina::gpu: an operation " + std::string(name_of(operation)) + " has nothing to compute");
  return kernel;
}

[[gnu::cold]] inline void require_layout(const KernelTensor& x) {
  if (x.layout != Layout::planar && x.layout != Layout::channels_last)
    throw error("lamina::gpu: kernels know planar and channels_last tensors, not " +
                std::string(layout_name(x.layout)));
}
}  // namespace detail

/// The kernel of a call. Throws lamina::error for layouts and element types that kernels do not know.
[[gnu::cold]] inline Kernel kernel_of(const KernelCall& call) {
  for (int i = 0; i < call.operand_count; ++i) detail::require_layout(call.operands[i]);
  detail::require_layout(call.out);
  if (count(call.out.dims) == 0) return KernelSource(call).kernel("nothing", 0);
  return detail::make_alternative(call.operation, call);
}

}  // namespace lamina::gpu
