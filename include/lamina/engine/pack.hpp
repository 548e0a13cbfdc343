/// The weights of a plan: copies of the parameters in the order of the steps, batch norms folded in.
#pragma once
#include "../plan/steps.hpp"
#include "../backend/cpu/target.hpp"
#include "../reflect/module.hpp"
#include <cmath>
#include <string>

namespace lamina::inline LAMINA_ISA {

namespace execution {
/// A parameter's values for reading, as floats.
struct ParameterValues {
  std::string path{};
  Dims dims{};
  const void* data = nullptr;
  Dtype dtype = Dtype::float32;

  idx size() const { return count(dims); }
  float operator[](idx i) const {
    switch (dtype) {
      case Dtype::float32: return static_cast<const float*>(data)[i];
      case Dtype::float64: return float(static_cast<const double*>(data)[i]);
      case Dtype::float16: return float(static_cast<const float16*>(data)[i]);
      case Dtype::bfloat16: return float(static_cast<const bfloat16*>(data)[i]);
      case Dtype::int64: return float(static_cast<const std::int64_t*>(data)[i]);
      case Dtype::int32: return float(static_cast<const std::int32_t*>(data)[i]);
      case Dtype::uint8: return float(static_cast<const std::uint8_t*>(data)[i]);
      case Dtype::boolean: return float(static_cast<const bool*>(data)[i]);
      default: throw parameter_error(path + ": parameters of type " + std::string(dtype_name(dtype)) + " are not computed with");
    }
  }
};
struct CollectValues {
  std::vector<ParameterValues>& list;
  template <class P> void operator()(const Path& path, const P& parameter) {
    ParameterValues values{{}, P::dims, parameter.data(), dtype_of<typename P::value_type>};
    path.append_to(values.path);
    list.push_back(std::move(values));
  }
};

/// Fails with the path of a parameter that was never given values.
inline const ParameterValues& required(const std::vector<ParameterValues>& parameters, int number) {
  const ParameterValues& p = parameters[std::size_t(number)];
  if (!p.data)
    throw parameter_error(p.path + " " + std::string((Text{} << p.dims).view()) + " has no values yet: load a checkpoint or write its data");
  return p;
}

/// Copies a step's parameters to their places; folds a batch norm into weight and bias of a producer:
///   f[o] = gamma[o] / sqrt(var[o] + eps),  weight'[o] = f[o] weight[o],  bias'[o] = beta[o] + f[o] (bias[o] - mean[o]).
inline void pack(const Step& step, const std::vector<ParameterValues>& parameters, float* packed) {
  const auto copy = [&](int k) {
    if (step.parameters[k] < 0) return;
    const ParameterValues& p = required(parameters, step.parameters[k]);
    for (idx i = 0; i < p.size(); ++i) packed[step.packed[k] + i] = p[i];
  };
  for (int k = 0; k < 4; ++k) copy(k);
  if (!step.has_norm) return;
  const ParameterValues& mean = required(parameters, step.norm[2]);
  const ParameterValues& var = required(parameters, step.norm[3]);
  const idx channels = mean.size(), weights = parameters[std::size_t(step.parameters[0])].size();
  float *weight = packed + step.packed[0], *bias = packed + step.packed[1];
  // Output channels are dimension 0 of a weight, but of a transposed convolution's they are dimension 1, within each group.
  const bool transposed = is<ops::ConvTranspose2d>(step.operation);
  const idx groups = transposed ? as<ops::ConvTranspose2d>(step.operation).groups : 1;
  const idx in = transposed ? as<ops::ConvTranspose2d>(step.operation).in_channels / groups : 1;
  const idx out = channels / groups, taps = weights / (groups * in * out);
  for (idx o = 0; o < channels; ++o) {
    const double gamma = step.norm_affine ? required(parameters, step.norm[0])[o] : 1, beta = step.norm_affine ? required(parameters, step.norm[1])[o] : 0;
    const double factor = gamma / std::sqrt(double(var[o]) + step.norm_eps);
    const double own = step.parameters[1] >= 0 ? double(bias[o]) : 0;
    bias[o] = float(beta + factor * (own - double(mean[o])));
    const idx g = o / out;
    for (idx i = 0; i < in; ++i) {
      float* row = weight + ((g * in + i) * out + o % out) * taps;
      for (idx t = 0; t < taps; ++t) row[t] = float(factor * double(row[t]));
    }
  }
}
}  // namespace execution

}  // namespace lamina::inline LAMINA_ISA
