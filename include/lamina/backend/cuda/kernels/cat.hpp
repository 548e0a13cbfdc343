/// Concatenation: one kernel for all operands.
#pragma once
#include "../source.hpp"

namespace lamina::gpu {

namespace detail {
/// Neighbours in the result that are neighbours in one operand.
[[gnu::cold]] inline idx joined_together(const KernelSource& source) {
  const KernelTensor& y = source.call().out;
  const int fastest = is_channels_last(y) ? 1 : y.dims.rank - 1;
  idx n = 8;
  for (int i = 0; i < source.operands(); ++i) {
    const KernelTensor& x = source.call().operands[i];
    if (is_channels_last(x) != is_channels_last(y)) return 1;
    while (x.dims[fastest] % n != 0) n /= 2;
  }
  return n;
}
}  // namespace detail

/// Throws lamina::error if there are more operands than a kernel takes arguments.
[[gnu::cold]] inline Kernel make_kernel(const ops::Cat& op, const KernelCall& call) {
  constexpr int most_operands = 500;  // 4 KB of arguments
  if (call.operand_count > most_operands)
    throw error((Code{} << "lamina::gpu: a concatenation of " << call.operand_count << " operands; a kernel takes "
                        << most_operands)
                    .text);
  const KernelTensor& y = call.out;
  const int axis = wrap_dim(op.dim, y.dims.rank);
  KernelSource source(call);
  const idx lanes = detail::joined_together(source), work = count(y.dims) / lanes;
  Code& code = source.body;
  code << "  for (index i = first(); i < " << work << "; i += step) {\n    const index at = i * " << lanes
       << ";\n    float v[" << lanes << "];\n";
  for (int d = 0; d < y.dims.rank; ++d) code << "    const index d" << d << " = " << coordinate(y, d, "at") << ";\n";
  idx begin = 0;
  for (int i = 0; i < source.operands(); ++i) {
    const KernelTensor& x = call.operands[i];
    const Strides steps = strides_of(x);
    code << "    " << (i > 0 ? "else " : "");
    if (i + 1 < source.operands()) code << "if (d" << axis << " < " << begin + x.dims[axis] << ") ";
    code << "load(x" << i << " + (d" << axis << " - " << begin << ") * " << steps[axis];
    for (int d = 0; d < y.dims.rank; ++d)
      if (d != axis) code << " + d" << d << " * " << steps[d];
    code << ", v);\n";
    begin += x.dims[axis];
  }
  code << "    put(y, residual, at, v);\n  }\n";
  return source.kernel(op.name, work);
}

}  // namespace lamina::gpu
