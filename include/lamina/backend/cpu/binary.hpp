/// Elementwise arithmetic of two operands.
#pragma once
#include "../../ops/binary.hpp"
#include "planes.hpp"
#include "strides.hpp"

namespace lamina::inline LAMINA_ISA::host {

namespace detail {
/// y = a (+, -, *, /) b for n elements of `unit` floats: 1, or the channels of a blocked pixel. The operands step by an
/// element or, where they are stretched, by 0. y may be an operand that steps.
LAMINA_ONE_COPY inline void combine(ops::Binary::Kind kind, const float* a, idx a_step, const float* b, idx b_step,
                                    float* y, idx n, idx unit) {
  const auto apply = [&](auto f) {
    if (a_step > 0 && b_step > 0) return map_rows(a, b, y, n * unit, f);
    if (unit > 1) {
      for (idx i = 0; i < n; ++i) map_rows(a + i * a_step, b + i * b_step, y + i * unit, unit, f);
      return;
    }
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
/// The same on pairs of bfloat16 that all step by 1.
LAMINA_ONE_COPY inline void combine(ops::Binary::Kind kind, const bfloat16* a, idx, const bfloat16* b, idx, bfloat16* y,
                                    idx n, idx) {
  constexpr idx chunk = 256;
  float p[chunk], q[chunk];
  for (idx i = 0; i < n; i += chunk) {
    const idx count = min(chunk, n - i);
    convert_row(a + i, p, count);
    convert_row(b + i, q, count);
    combine(kind, p, 1, q, 1, p, count, 1);
    convert_row(p, y + i, count);
  }
}
}  // namespace detail

/// out may be an operand of its extents. Operands in blocks have equal numbers of channels, and paired ones the extents
/// of the result.
template <class Elements = Floats> void run(const ops::Binary& op, const Call& call) {
  Input a = call.in[0], b = call.in[1];
  a.layout = b.layout = call.out.layout;  // another one is a name for the same order (layouts_agree)
  const Dims& dims = call.out.dims;
  if (count(dims) == 0) return;
  if (a.dims == dims && b.dims == dims) {
    const auto combine = [&](const float* p, const float* q, float* y, idx words) {
      detail::combine(op.kind, Elements::in(p), 1, Elements::in(q), 1, Elements::in(y), words * Elements::in_word, 1);
    };
    if (a.contiguous() && b.contiguous() && call.out.contiguous())
      return combine(a.floats(), b.floats(), call.out.floats(), a.items() * a.item_size());
    for (idx n = 0; n < a.items(); ++n) combine(a.item(n), b.item(n), call.out.item(n), a.item_size());
    return;
  }
  // Elements are floats, or the pixels of blocked operands.
  const idx unit = lanes_of(call.out);
  const Dims elements = pixel_dims(call.out);
  const Strides from_a = broadcast_strides(a, elements), from_b = broadcast_strides(b, elements),
                to = strides_of(call.out);
  // The last dimensions in which all operands go on without a gap, or stand still, are one row. The elements of a
  // vector are items, which may lie apart: then every row is one element.
  int outer = elements.rank;
  idx n = 1, a_step = 0, b_step = 0;
  const auto goes_on = [&](int i) { return from_a[i] == n * a_step && from_b[i] == n * b_step && to[i] == n * unit; };
  if (outer > 0 && from_a[outer - 1] <= unit && from_b[outer - 1] <= unit && to[outer - 1] == unit) {
    --outer;
    n = elements[outer], a_step = from_a[outer], b_step = from_b[outer];
    for (; outer > 0 && goes_on(outer - 1); --outer) n *= elements[outer - 1];
  }
  const idx rows = outer > 0 ? product(elements, 0, outer) : 1;
  for (idx i = 0; i < rows; ++i) {
    const float *p = a.floats() + distance_to(i, elements, outer, from_a),
                *q = b.floats() + distance_to(i, elements, outer, from_b);
    detail::combine(op.kind, p, a_step, q, b_step, call.out.floats() + distance_to(i, elements, outer, to), n, unit);
  }
}

}  // namespace lamina::inline LAMINA_ISA::host
