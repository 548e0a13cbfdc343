/// Constant padding and cutting.
#pragma once
#include "../../ops/pad.hpp"
#include "planes.hpp"
#include "strides.hpp"

namespace lamina::inline LAMINA_ISA::host {

namespace detail {
/// Planar operands.
inline void pad(const ops::Pad& op, const Input& x, const Output& out) {
  const Dims& dims = out.dims;
  const int last = dims.rank - 1;
  if (count(dims) == 0) return;
  if (last < 0) return copy_row(x.floats(), out.floats(), 1);
  const Strides from = strides_of(x), to = strides_of(out);
  // Rows of a vector are single elements, as its items may lie apart.
  const int outer = last == 0 ? 1 : last;
  const idx width = last == 0 ? 1 : dims[last], before = last == 0 ? 0 : op.before(last, dims.rank);
  const idx begin = min(max(before, 0), width), end = max(begin, min(width, before + (last == 0 ? 1 : x.dims[last])));
  const idx rows = product(dims, 0, outer);
  for (idx row = 0; row < rows; ++row) {
    const float* source = x.floats();
    idx rest = row;
    bool inside = true;
    for (int i = outer - 1; i >= 0; rest /= dims[i--]) {
      const idx at = rest % dims[i] - op.before(i, dims.rank);
      inside = inside && at >= 0 && at < x.dims[i];
      source += inside ? at * from[i] : 0;
    }
    float* y = out.floats() + distance_to(row, dims, outer, to);
    if (!inside) {
      fill_row(op.value, y, width);
      continue;
    }
    fill_row(op.value, y, begin);
    copy_row(source + begin - before, y + begin, end - begin);
    fill_row(op.value, y + end, width - end);
  }
}
}  // namespace detail

/// Operands in blocks are padded in height and width only.
inline void run(ops::Pad op, const Call& call) {
  if (call.in[0].layout != Layout::planar)
    for (int side : {0, 1}) op.amounts[side] *= int(channel_block);
  if (call.in[0].layout == Layout::paired) op.value = pair_of(op.value, op.value);
  detail::pad(op, as_planar(call.in[0]), as_planar(call.out));
}

inline void run(const ops::PadTo&, const Call& call) {
  const Dims &x = call.in[0].dims, &y = call.out.dims;
  const int left = int(ops::PadTo::before(x[3], y[3])), top = int(ops::PadTo::before(x[2], y[2]));
  run(ops::Pad{.pairs = 2, .amounts = {left, int(y[3] - x[3]) - left, top, int(y[2] - x[2]) - top}}, call);
}

}  // namespace lamina::inline LAMINA_ISA::host
