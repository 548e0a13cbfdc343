/// Normalisation. Means and variances are sums in double precision, the variance in a second pass over the data.
#pragma once
#include "../../ops/norm.hpp"
#include "rows.hpp"
#include <cmath>

namespace lamina::inline LAMINA_ISA::cpu {

namespace detail {
/// y = (x - mean) * factor + bias
LAMINA_ONE_COPY inline void normalize_row(const float* x, float* y, idx n, float mean, float factor, float bias) {
  map_row(x, y, n, [=](vector v) { return (v - mean) * factor + bias; });
}
LAMINA_ONE_COPY inline double sum_of_squares_about(double mean, const float* x, idx n) {
  return sum_row(x, n, [mean](double v) { return (v - mean) * (v - mean); });
}

/// A batch norm with running statistics on a blocked tensor.
inline void normalize_blocks(const ops::BatchNorm& op, const Call& call) {
  const Input& x = call.in[0];
  const float *weight = call.parameters[0].floats(), *bias = call.parameters[1].floats();
  const float *mean = call.parameters[2].floats(), *variance = call.parameters[3].floats();
  const idx area = x.dims[2] * x.dims[3], blocks = divide_up(x.dims[1], channel_block);
  for (idx b = 0; b < blocks; ++b) {
    float means[channel_block]{}, factors[channel_block]{}, terms[channel_block]{};
    for (idx l = 0, c = b * channel_block; l < channel_block && c < x.dims[1]; ++l, ++c) {
      means[l] = mean[c];
      factors[l] = float((weight ? double(weight[c]) : 1.) / std::sqrt(double(variance[c]) + op.eps));
      terms[l] = bias ? bias[c] : 0.f;
    }
    for (idx n = 0; n < x.dims[0]; ++n) {
      const float* from = x.item(n) + b * area * channel_block;
      float* to = call.out.item(n) + b * area * channel_block;
      for (idx i = 0; i < area; ++i, from += channel_block, to += channel_block)
        for (int l = 0; l < channel_block; ++l) to[l] = (from[l] - means[l]) * factors[l] + terms[l];
    }
  }
}
}  // namespace detail

/// Parameters: weight, bias, running_mean, running_var. Without the running ones the statistics are the batch's, and
/// the tensor is planar. out may be in[0].
inline void run(const ops::BatchNorm& op, const Call& call) {
  const Input& x = call.in[0];
  if (x.layout == Layout::blocked) return detail::normalize_blocks(op, call);
  const float *weight = call.parameters[0].floats(), *bias = call.parameters[1].floats();
  const float *running_mean = call.parameters[2].floats(), *running_var = call.parameters[3].floats();
  const bool running = running_mean && running_var;
  const idx area = product(x.dims, 2, x.dims.rank), samples = x.dims[0] * area;
  for (idx c = 0; c < x.dims[1]; ++c) {
    double mean = 0, variance = 0;
    if (running) mean = running_mean[c], variance = running_var[c];
    else {
      for (idx n = 0; n < x.dims[0]; ++n) mean += sum_row(x.item(n) + c * area, area);
      mean /= double(samples);
      for (idx n = 0; n < x.dims[0]; ++n) variance += detail::sum_of_squares_about(mean, x.item(n) + c * area, area);
      variance /= double(samples);
    }
    const float factor = float((weight ? double(weight[c]) : 1.) / std::sqrt(variance + op.eps));
    for (idx n = 0; n < x.dims[0]; ++n)
      detail::normalize_row(x.item(n) + c * area, call.out.item(n) + c * area, area, float(mean), factor,
                            bias ? bias[c] : 0.f);
  }
}

/// Parameters: weight, bias.
inline void run(const ops::LayerNorm& op, const Call& call) {
  const idx n = count(op.normalized), rows = product(call.in[0].dims, 0, call.in[0].dims.rank - op.normalized.rank);
  const float *weight = call.parameters[0].floats(), *bias = call.parameters[1].floats();
  for (idx i = 0; i < rows; ++i) {
    const float* x = call.in[0].floats() + i * n;
    float* y = call.out.floats() + i * n;
    const double mean = sum_row(x, n) / double(n), variance = detail::sum_of_squares_about(mean, x, n) / double(n);
    detail::normalize_row(x, y, n, float(mean), float(1 / std::sqrt(variance + op.eps)), 0);
    if (weight) map_rows(y, weight, y, n, [](vector v, vector w) { return v * w; });
    if (bias) add_row(bias, y, n);
  }
}

/// Parameters: weight, bias.
inline void run(const ops::GroupNorm& op, const Call& call) {
  const Input& x = call.in[0];
  const float *weight = call.parameters[0].floats(), *bias = call.parameters[1].floats();
  const idx area = product(x.dims, 2, x.dims.rank), channels = x.dims[1] / op.groups, size = channels * area;
  for (idx n = 0; n < x.dims[0]; ++n)
    for (idx g = 0; g < op.groups; ++g) {
      const float* group = x.item(n) + g * size;
      const double mean = sum_row(group, size) / double(size);
      const double scale = 1 / std::sqrt(detail::sum_of_squares_about(mean, group, size) / double(size) + op.eps);
      for (idx i = 0; i < channels; ++i) {
        const idx c = g * channels + i;
        detail::normalize_row(group + i * area, call.out.item(n) + c * area, area, float(mean),
                              float(weight ? scale * weight[c] : scale), bias ? bias[c] : 0.f);
      }
    }
}

}  // namespace lamina::inline LAMINA_ISA::cpu
