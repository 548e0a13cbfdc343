/// Elementwise functions of one operand.
#pragma once
#include "elementwise.hpp"

namespace lamina::gpu {

/// The result may be the operand.
[[gnu::cold]] inline Kernel make_kernel(const ops::Activation& op, const KernelCall& call) {
  KernelSource source(call);
  return elementwise(op.function(), source, operands_of(source), activated(op, "a[k]"));
}

}  // namespace lamina::gpu
