/// Elementwise arithmetic of two operands.
#pragma once
#include "elementwise.hpp"

namespace lamina::gpu {

/// The result may be an operand of its extents.
[[gnu::cold]] inline Kernel make_kernel(const ops::Binary& op, const KernelCall& call) {
  constexpr const char* signs[] = {" + ", " - ", " * ", " / "};
  KernelSource source(call);
  return elementwise(op.function(), source, operands_of(source), std::string("a[k]") + signs[int(op.kind)] + "b[k]");
}

}  // namespace lamina::gpu
