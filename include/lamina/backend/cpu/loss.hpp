/// Losses. Sums are in double precision.
#pragma once
#include "../../core/error.hpp"
#include "../../ops/loss.hpp"
#include "math.hpp"
#include "rows.hpp"
#include <cstdint>

namespace lamina::inline LAMINA_ISA::host {

inline void run(const ops::PairLoss& op, const Call& call) {
  const float *x = call.in[0].floats(), *t = call.in[1].floats();
  float* y = call.out.floats();
  const idx n = count(call.in[0].dims);
  const auto loss = [&](double v, double target) {
    using enum ops::PairLoss::Kind;
    switch (op.kind) {
    case mse: return (v - target) * (v - target);
    case l1: return math::abs(v - target);
    case bce_with_logits: break;
    }
    return (v < 0 ? 0 : v) - v * target + math::log1p(math::exp(-math::abs(v)));
  };
  double sum = 0;
  for (idx i = 0; i < n; ++i) {
    const double l = loss(double(x[i]), double(t[i]));
    if (op.reduction == ops::Reduction::none) y[i] = float(l);
    else sum += l;
  }
  if (op.reduction == ops::Reduction::mean) *y = float(sum / double(n));
  if (op.reduction == ops::Reduction::sum) *y = float(sum);
}

/// in[1] holds int64 class numbers. Throws lamina::error if one is neither a class nor ignored.
inline void run(const ops::CrossEntropy& op, const Call& call) {
  const Dims& dims = call.in[0].dims;
  const idx classes = dims[1], inner = product(dims, 2, dims.rank), targets = dims[0] * inner;
  const auto* target = static_cast<const std::int64_t*>(call.in[1].data);
  float* y = call.out.floats();
  double sum = 0;
  idx counted = 0;
  for (idx i = 0; i < targets; ++i) {
    const std::int64_t t = target[i];
    double loss = 0;
    if (t != op.ignore_index) {
      if (t < 0 || t >= classes)
        throw error("cross_entropy: target " + std::to_string(t) + " is out of range for " + std::to_string(classes) +
                    " classes");
      const float* x = call.in[0].floats() + i / inner * classes * inner + i % inner;
      double most = -__builtin_inf(), exponentials = 0, all = 0;
      for (idx c = 0; c < classes; ++c) most = double(x[c * inner]) > most ? double(x[c * inner]) : most;
      for (idx c = 0; c < classes; ++c) exponentials += math::exp(double(x[c * inner]) - most);
      const double log_sum = most + math::log(exponentials), smoothing = op.label_smoothing;
      loss = (1 - smoothing) * (log_sum - double(x[t * inner]));
      if (smoothing != 0) {  // 0 times an infinite logit would be NaN
        for (idx c = 0; c < classes; ++c) all += log_sum - double(x[c * inner]);
        loss += smoothing / double(classes) * all;
      }
      ++counted;
    }
    if (op.reduction == ops::Reduction::none) y[i] = float(loss);
    sum += loss;
  }
  if (op.reduction == ops::Reduction::mean) *y = float(sum / double(counted));  // NaN if nothing counts, as in PyTorch
  if (op.reduction == ops::Reduction::sum) *y = float(sum);
}

}  // namespace lamina::inline LAMINA_ISA::host
