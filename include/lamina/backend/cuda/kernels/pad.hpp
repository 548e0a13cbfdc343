/// Constant padding and cutting.
#pragma once
#include "../source.hpp"

namespace lamina::gpu {

namespace detail {
/// Neighbours that come from neighbours, or are padding, together.
[[gnu::cold]] inline idx padded_together(const KernelCall& call, const idx* before) {
  const KernelTensor &x = call.operands[0], &y = call.out;
  if (is_channels_last(x) != is_channels_last(y) || y.dims.rank == 0) return 1;
  const int fastest = is_channels_last(y) ? 1 : y.dims.rank - 1;
  if (before[fastest] != 0 || x.dims[fastest] != y.dims[fastest]) return 1;
  idx n = item_size(x.dtype) < 4 || item_size(y.dtype) < 4 ? 8 : 4;
  while (y.dims[fastest] % n != 0) n /= 2;
  return n;
}

/// Declares is_inside(at, from): whether an element of the result is one of x, and which.
[[gnu::cold]] inline void declare_inside(KernelSource& source, const idx* before) {
  const KernelTensor &x = source.call().operands[0], &y = source.call().out;
  const Strides steps = strides_of(x);
  Code offset, condition;
  source.head << "__device__ inline bool is_inside(index at, index& from) {\n";
  for (int d = 0; d < y.dims.rank; ++d) {
    source.head << "  const index d" << d << " = " << coordinate(y, d, "at") << " - (" << before[d] << ");\n";
    offset << " + d" << d << " * " << steps[d];
    condition << " && d" << d << " >= 0 && d" << d << " < " << x.dims[d];
  }
  source.head << "  from = 0" << offset.text << ";\n  return true" << condition.text << ";\n}\n";
}

[[gnu::cold]] inline Kernel pad(std::string_view family, const KernelCall& call, const idx* before, float value) {
  const idx lanes = padded_together(call, before), work = count(call.out.dims) / lanes;
  KernelSource source(call);
  source.constant("lanes", lanes);
  source.constant("groups", work);
  source.constant("padding", value);
  declare_inside(source, before);
  source.body << R"(
  for (index i = first(); i < groups; i += step) {
    float v[lanes];
    index from;
    if (is_inside(i * lanes, from)) load(x0 + from, v);
    else fill(padding, v);
    put(y, residual, i * lanes, v);
  }
)";
  return source.kernel(family, work);
}
}  // namespace detail

[[gnu::cold]] inline Kernel make_kernel(const ops::Pad& op, const KernelCall& call) {
  idx before[max_rank];
  for (int d = 0; d < call.out.dims.rank; ++d) before[d] = op.before(d, call.out.dims.rank);
  return detail::pad(op.name, call, before, op.value);
}

/// The second operand is not read: its extents are the result's.
[[gnu::cold]] inline Kernel make_kernel(const ops::PadTo& op, const KernelCall& call) {
  const Dims &x = call.operands[0].dims, &y = call.out.dims;
  const idx before[] = {0, 0, ops::PadTo::before(x[2], y[2]), ops::PadTo::before(x[3], y[3])};
  return detail::pad(op.name, call, before, 0);
}

}  // namespace lamina::gpu
