/// The weights of a plan: copies of the parameters in the order of the steps, batch norms folded in.
#pragma once
#include "../backend/cpu/target.hpp"
#include "../plan/steps.hpp"
#include "../reflect/stored.hpp"
#include <cmath>
#include <string>

namespace lamina::inline LAMINA_ISA {

namespace execution {
/// A parameter's values as floats.
class ParameterValues {
  const StoredTensor<const Storage*>& tensor;

 public:
  /// Fails with the path of a parameter that was never given values.
  explicit ParameterValues(const StoredTensor<const Storage*>& t) : tensor(t) {
    if (!*t.storage)
      throw parameter_error(t.path + " " + std::string((Text{} << t.dims).view()) +
                            " has no values yet: load a checkpoint or write its data");
  }
  idx size() const { return count(tensor.dims); }
  float operator[](idx i) const {
    const auto element = [&]<class T>(const T*) {
      return float(reinterpret_cast<const T*>(tensor.storage->data())[i]);
    };
    switch (tensor.dtype) {
    case Dtype::float32: return element(static_cast<const float*>(nullptr));
    case Dtype::float64: return element(static_cast<const double*>(nullptr));
    case Dtype::float16: return element(static_cast<const float16*>(nullptr));
    case Dtype::bfloat16: return element(static_cast<const bfloat16*>(nullptr));
    case Dtype::int64: return element(static_cast<const std::int64_t*>(nullptr));
    case Dtype::int32: return element(static_cast<const std::int32_t*>(nullptr));
    case Dtype::uint8: return element(static_cast<const std::uint8_t*>(nullptr));
    case Dtype::boolean: return element(static_cast<const bool*>(nullptr));
    default:
      throw parameter_error(tensor.path + ": parameters of type " + std::string(dtype_name(tensor.dtype)) +
                            " are not computed with");
    }
  }
};
using ModelTensors = std::vector<StoredTensor<const Storage*>>;

/// Copies a step's parameters to their places; folds a batch norm into weight and bias of a producer:
///   f[o] = gamma[o] / sqrt(var[o] + eps),  weight'[o] = f[o] weight[o],
///   bias'[o] = beta[o] + f[o] (bias[o] - mean[o]).
inline void pack(const Step& step, const ModelTensors& parameters, float* packed) {
  const auto copy = [&](int k) {
    if (step.parameters[k] < 0) return;
    const ParameterValues p(parameters[std::size_t(step.parameters[k])]);
    for (idx i = 0; i < p.size(); ++i) packed[step.packed[k] + i] = p[i];
  };
  for (int k = 0; k < 4; ++k) copy(k);
  if (!step.has_norm) return;
  const auto values = [&](int number) { return ParameterValues(parameters[std::size_t(number)]); };
  const ParameterValues mean = values(step.norm[2]), var = values(step.norm[3]);
  const idx channels = mean.size(), weights = values(step.parameters[0]).size();
  float *weight = packed + step.packed[0], *bias = packed + step.packed[1];
  // Output channels are dimension 0 of a weight, but of a transposed convolution's they are dimension 1, within each
  // group.
  const bool transposed = is<ops::ConvTranspose2d>(step.operation);
  const idx groups = transposed ? as<ops::ConvTranspose2d>(step.operation).groups : 1;
  const idx in = transposed ? as<ops::ConvTranspose2d>(step.operation).in_channels / groups : 1;
  const idx out = channels / groups, taps = weights / (groups * in * out);
  for (idx o = 0; o < channels; ++o) {
    const double gamma = step.norm_affine ? values(step.norm[0])[o] : 1;
    const double beta = step.norm_affine ? values(step.norm[1])[o] : 0;
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
