/// Elementwise functions of one operand.
#pragma once
#include "elements.hpp"
#include "math.hpp"

namespace lamina::inline LAMINA_ISA::host {

/// y = f(x) for n elements; y may be x.
LAMINA_ONE_COPY inline void activate(const ops::Activation& op, const float* x, float* y, idx n) {
  using enum ops::Activation::Kind;
  const float p = op.parameter;
  switch (op.kind) {
  case identity: return copy_row(x, y, n);
  case relu: return map_row(x, y, n, [](vector v) { return v < 0 ? vector{} : v; });  // in this order NaN stays NaN
  case leaky_relu: return map_row(x, y, n, [p](vector v) { return v > 0 ? v : p * v; });
  case sigmoid: return map_each(x, y, n, [](float v) { return 1 / (1 + math::exp(-v)); });
  case tanh: return map_each(x, y, n, [](float v) { return math::tanh(v); });
  case gelu: return map_each(x, y, n, [](float v) { return 0.5f * v * (1 + math::erf(v * 0.70710678118654752f)); });
  case gelu_tanh:  // (1 + tanh(u)) / 2 = 1 / (1 + exp(-2 u)), which does not cancel where x is negative
    return map_each(x, y, n,
                    [](float v) { return v / (1 + math::exp(-1.5957691216057307f * (v + 0.044715f * v * v * v))); });
  case silu: return map_each(x, y, n, [](float v) { return v / (1 + math::exp(-v)); });
  case scale: return map_row(x, y, n, [p](vector v) { return p * v; });
  case shift: return map_row(x, y, n, [p](vector v) { return v + p; });
  }
}

/// The same on pairs of bfloat16.
LAMINA_ONE_COPY inline void activate(const ops::Activation& op, const bfloat16* x, bfloat16* y, idx n) {
  constexpr idx chunk = 256;
  float values[chunk];
  for (idx i = 0; i < n; i += chunk) {
    const idx count = min(chunk, n - i);
    convert_row(x + i, values, count);
    activate(op, values, values, count);
    convert_row(values, y + i, count);
  }
}

/// out may be in[0].
template <class Elements = Floats> void run(const ops::Activation& op, const Call& call) {
  const Input& x = call.in[0];
  const auto apply = [&](const float* from, float* to, idx words) {
    activate(op, Elements::in(from), Elements::in(to), words * Elements::in_word);
  };
  if (x.contiguous() && call.out.contiguous()) return apply(x.floats(), call.out.floats(), x.items() * x.item_size());
  for (idx n = 0; n < x.items(); ++n) apply(x.item(n), call.out.item(n), x.item_size());
}

}  // namespace lamina::inline LAMINA_ISA::host
