/// Elementwise arithmetic of two operands.
#pragma once
#include "../../ops/binary.hpp"
#include "rows.hpp"
#include "strides.hpp"

namespace lamina::inline LAMINA_ISA::cpu {

namespace detail {
/// y = a (+, -, *, /) b for n elements; the operands step by 1 or, where they are stretched, by 0. y may be an operand
/// that steps.
LAMINA_ONE_COPY inline void combine(ops::Binary::Kind kind, const float* a, idx a_step, const float* b, idx b_step,
                                    float* y, idx n) {
  const auto apply = [&](auto f) {
    if (a_step == 1 && b_step == 1) return map_rows(a, b, y, n, f);
    const vector p = load_part(a, 1), q = load_part(b, 1);  // one of the two is stretched, or both are
    if (a_step == 1) return map_row(a, y, n, [=](vector v) { return f(v, q); });
    if (b_step == 1) return map_row(b, y, n, [=](vector v) { return f(p, v); });
    fill_row(f(p, q)[0], y, n);
  };
  using enum ops::Binary::Kind;
  switch (kind) {
  case add: return apply([](vector p, vector q) { return p + q; });
  case subtract: return apply([](vector p, vector q) { return p - q; });
  case multiply: return apply([](vector p, vector q) { return p * q; });
  case divide: return apply([](vector p, vector q) { return p / q; });
  }
}
}  // namespace detail

/// out may be an operand of its extents. Blocked operands have the extents of the result.
inline void run(const ops::Binary& op, const Call& call) {
  const Input &a = call.in[0], &b = call.in[1];
  const Dims& dims = call.out.dims;
  if (count(dims) == 0) return;
  if (a.dims == dims && b.dims == dims) {
    if (a.contiguous() && b.contiguous() && call.out.contiguous())
      return detail::combine(op.kind, a.floats(), 1, b.floats(), 1, call.out.floats(), a.items() * a.item_size());
    for (idx n = 0; n < a.items(); ++n)
      detail::combine(op.kind, a.item(n), 1, b.item(n), 1, call.out.item(n), a.item_size());
    return;
  }
  const Strides from_a = broadcast_strides(a, dims), from_b = broadcast_strides(b, dims), to = strides_of(call.out);
  // The last dimensions in which all operands go on without a gap, or stand still, are one row. The elements of a
  // vector are items, which may lie apart: then every row is one element.
  int outer = dims.rank;
  idx n = 1, a_step = 0, b_step = 0;
  if (outer > 0 && from_a[outer - 1] <= 1 && from_b[outer - 1] <= 1 && to[outer - 1] == 1) {
    --outer;
    n = dims[outer], a_step = from_a[outer], b_step = from_b[outer];
    for (; outer > 0 && from_a[outer - 1] == n * a_step && from_b[outer - 1] == n * b_step && to[outer - 1] == n;
         --outer)
      n *= dims[outer - 1];
  }
  const idx rows = outer > 0 ? product(dims, 0, outer) : 1;
  for (idx i = 0; i < rows; ++i) {
    const float *p = a.floats() + distance_to(i, dims, outer, from_a),
                *q = b.floats() + distance_to(i, dims, outer, from_b);
    detail::combine(op.kind, p, a_step, q, b_step, call.out.floats() + distance_to(i, dims, outer, to), n);
  }
}

}  // namespace lamina::inline LAMINA_ISA::cpu
