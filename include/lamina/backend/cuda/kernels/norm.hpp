/// Normalisation. The variance is summed in a second pass over the data, about the mean.
#pragma once
#include "elementwise.hpp"
#include "rows.hpp"

namespace lamina::gpu {

namespace detail {
inline constexpr std::string_view normalize_body = R"(
    const X0* const x = x0 + x_row(row);
    float v[lanes], sum = 0, squares = 0;
    for (index k = member * lanes; k < size; k += team * lanes) {
      load(x + x_element(k), v);
#pragma unroll
      for (int j = 0; j < lanes; ++j) sum += v[j];
    }
    const float average = combine<team>(sum, Sum()) / float(size);
    for (index k = member * lanes; k < size; k += team * lanes) {
      load(x + x_element(k), v);
#pragma unroll
      for (int j = 0; j < lanes; ++j) squares += (v[j] - average) * (v[j] - average);
    }
    const float factor = 1 / sqrtf(combine<team>(squares, Sum()) / float(size) + eps);
    for (index k = member * lanes; k < size; k += team * lanes) {
      float factors[lanes], terms[lanes];
      load(x + x_element(k), v);
      load_parameter(weight, p_row(row) + p_element(k), p_runs, 1, factors);
      load_parameter(bias, p_row(row) + p_element(k), p_runs, 0, terms);
#pragma unroll
      for (int j = 0; j < lanes; ++j) v[j] = (v[j] - average) * factor * factors[j] + terms[j];
      put(y, residual, y_row(row) + y_element(k), v);
    }
  }
)";

/// Steps of operand, result and parameters along a dimension of the operand, or a part of it.
struct NormAxes {
  Strides x, y;
  bool has_parameters = false;

  explicit NormAxes(const KernelCall& call)
      : x(strides_of(call.operands[0])), y(strides_of(call.out)),
        has_parameters(call.parameters[0] || call.parameters[1]) {}
  Axes::Axis axis(int d, idx extent, idx parameter_step, idx stretch = 1) const {
    return {extent, {stretch * x[d], stretch * y[d], has_parameters ? parameter_step : 0}};
  }
};

/// Weight and bias are numbered by p, x and y by themselves.
[[gnu::cold]] inline Kernel normalize(std::string_view family, const KernelCall& call, Rows& r, double eps) {
  KernelSource source(call);
  source.constant("eps", float(eps));
  begin_rows(source, r, {"x", "y", "p"});
  source.body << normalize_body;
  return source.kernel(family, r.rows.size() * r.team, r.threads);
}

/// With running statistics every element is by itself.
[[gnu::cold]] inline Kernel normalize_each(const ops::BatchNorm& op, const KernelCall& call) {
  constexpr const char *pointers[] = {"weight", "bias", "mean", "variance"}, *values[] = {"w", "b", "m", "v"};
  KernelSource source(call);
  std::vector<Elements> in = operands_of(source);
  KernelTensor channels{call.out.dims};
  for (int d = 0; d < channels.dims.rank; ++d) channels.dims[d] = d == 1 ? call.out.dims[1] : 1;
  for (int i = 0; i < 4; ++i)
    if (call.parameters[i]) in.push_back({pointers[i], values[i], channels});
  Code expression;
  expression << "(a[k] - m[k]) / sqrtf(v[k] + " << float(op.eps) << ")";
  if (call.parameters[0]) expression << " * w[k]";
  if (call.parameters[1]) expression << " + b[k]";
  return elementwise(op.name, source, in, expression.text);
}
}  // namespace detail

/// With running statistics the result may be the operand.
[[gnu::cold]] inline Kernel make_kernel(const ops::BatchNorm& op, const KernelCall& call) {
  if (call.parameters[2] && call.parameters[3]) return detail::normalize_each(op, call);
  const Dims& dims = call.out.dims;
  const detail::NormAxes axes(call);
  Rows r(3);
  for (int d = 0; d < dims.rank; ++d) (d == 1 ? r.rows : r.elements).add(axes.axis(d, dims[d], d == 1));
  return detail::normalize(op.name, call, r, op.eps);
}

[[gnu::cold]] inline Kernel make_kernel(const ops::LayerNorm& op, const KernelCall& call) {
  const Dims& dims = call.out.dims;
  const detail::NormAxes axes(call);
  const Strides parameter = strides_of({op.normalized});
  const int first = dims.rank - op.normalized.rank;
  Rows r(3);
  for (int d = 0; d < dims.rank; ++d)
    if (d < first) r.rows.add(axes.axis(d, dims[d], 0));
    else r.elements.add(axes.axis(d, dims[d], parameter[d - first]));
  return detail::normalize(op.name, call, r, op.eps);
}

[[gnu::cold]] inline Kernel make_kernel(const ops::GroupNorm& op, const KernelCall& call) {
  const Dims& dims = call.out.dims;
  const idx channels = dims[1] / op.groups;
  const detail::NormAxes axes(call);
  Rows r(3);
  r.rows.add(axes.axis(0, dims[0], 0));
  r.rows.add(axes.axis(1, op.groups, channels, channels));
  r.elements.add(axes.axis(1, channels, 1));
  for (int d = 2; d < dims.rank; ++d) r.elements.add(axes.axis(d, dims[d], 0));
  return detail::normalize(op.name, call, r, op.eps);
}

}  // namespace lamina::gpu
