/// Concatenation: one kernel for all operands.
#pragma once
#include "../source.hpp"

namespace lamina::gpu {

namespace detail {
/// Neighbours in the result that are neighbours in one operand.
[[gnu::noinline]] inline idx joined_together(const Source& source) {
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
[[gnu::noinline]] inline Kernel make_kernel(const ops::Cat& op, const KernelCall& call) {
  constexpr int most_operands = 500;  // 4 KB of arguments
  if (call.operand_count > most_operands)
    throw error("lamina::gpu: a concatenation of " + std::to_string(call.operand_count) + " operands; a kernel takes " +
                std::to_string(most_operands));
  const KernelTensor& y = call.out;
  const int axis = wrap_dim(op.dim, y.dims.rank);
  const Strides steps = strides_of(y);
  Source source(call);
  const idx lanes = detail::joined_together(source), work = count(y.dims) / lanes;
  source.constant("lanes", lanes);
  source << "  for (index i = first(); i < " << std::to_string(work) << R"(; i += step) {
    const index at = i * lanes;
    float v[lanes];
)";
  for (int d = 0; d < y.dims.rank; ++d)
    source << "    const index d" + std::to_string(d) + " = " +
                  position("at", steps[d], y.dims[d], steps[d] * y.dims[d] == count(y.dims)) + ";\n";
  idx begin = 0;
  for (int i = 0; i < source.operands(); ++i) {
    const KernelTensor& x = call.operands[i];
    const Strides from = strides_of(x);
    const std::string along = "d" + std::to_string(axis), number = std::to_string(i);
    std::string offset = "(" + along + " - " + std::to_string(begin) + ") * " + std::to_string(from[axis]);
    for (int d = 0; d < y.dims.rank; ++d)
      if (d != axis) offset += " + d" + std::to_string(d) + " * " + std::to_string(from[d]);
    begin += x.dims[axis];
    source << "    " << (i > 0 ? "else " : "");
    if (i + 1 < source.operands()) source << "if (" + along + " < " + std::to_string(begin) + ") ";
    source << "load(x" + number + " + " + offset + ", v);\n";
  }
  source << "    put(y, residual, at, v);\n  }\n";
  return source.kernel(op.name, work);
}

}  // namespace lamina::gpu
