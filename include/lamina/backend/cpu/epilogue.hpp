/// What follows a producer while its sums are at hand: bias, scale, shift, residual, activation.
#pragma once
#include "activation.hpp"

namespace lamina::inline LAMINA_ISA::cpu {

/// y = activation(sums + residual) for n elements. `residual` may be null, or y itself. The sums are used up.
LAMINA_ONE_COPY inline void finish_elements(const Epilogue& e, const float* residual, float* sums, float* y, idx n) {
  if (residual) add_row(residual, sums, n);
  activate(e.activation, sums, y, n);
}

/// The whole epilogue for n elements of channel c.
LAMINA_ONE_COPY inline void finish_channel(const Epilogue& e, idx c, const float* bias, const float* residual,
                                           float* sums, float* y, idx n) {
  if (bias || e.scale || e.shift) {
    const float b = bias ? bias[c] : 0.f, scale = e.scale ? e.scale[c] : 1.f, shift = e.shift ? e.shift[c] : 0.f;
    map_row(sums, sums, n, [=](vector v) { return (v + b) * scale + shift; });
  }
  finish_elements(e, residual, sums, y, n);
}

/// The whole epilogue for n channels from c on, one element each.
inline void finish_channels(const Epilogue& e, idx c, const float* bias, const float* residual, float* sums, float* y,
                            idx n) {
  if (bias) add_row(bias + c, sums, n);
  if (e.scale) map_rows(sums, e.scale + c, sums, n, [](vector v, vector w) { return v * w; });
  if (e.shift) add_row(e.shift + c, sums, n);
  finish_elements(e, residual, sums, y, n);
}

/// Item n of the residual from `offset` on, or null.
inline const float* residual_at(const Epilogue& e, idx n, idx offset) {
  return e.residual ? e.residual->item(n) + offset : nullptr;
}

}  // namespace lamina::inline LAMINA_ISA::cpu
