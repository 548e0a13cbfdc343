/// The parameters of a step as the model has them.
#pragma once
#include "../core/error.hpp"
#include "../plan/plan.hpp"
#include "../plan/producer_weights.hpp"
#include "../reflect/stored.hpp"
#include <string>

namespace lamina::calls {

using ModelTensors = StoredTensors<const Storage*>;

/// An element of a parameter as a float.
inline float float_element(Dtype dtype, const std::byte* elements, idx i) {
  const auto as = [&]<class T>(T) { return float(reinterpret_cast<const T*>(elements)[i]); };
  switch (dtype) {
  case Dtype::float64: return as(double{});
  case Dtype::float16: return as(float16{});
  case Dtype::bfloat16: return as(bfloat16{});
  case Dtype::int64: return as(std::int64_t{});
  case Dtype::int32: return as(std::int32_t{});
  case Dtype::uint8: return as(std::uint8_t{});
  case Dtype::boolean: return as(bool{});
  default: return as(float{});
  }
}

/// A parameter's values as floats on the host: where they lie, or a copy.
class FloatValues {
  Storage fetched, converted;
  const float* values = nullptr;

  static bool computes_with(Dtype dtype) {
    for (const Dtype known : {Dtype::float32, Dtype::float64, Dtype::float16, Dtype::bfloat16, Dtype::int64,
                              Dtype::int32, Dtype::uint8, Dtype::boolean})
      if (dtype == known) return true;
    return false;
  }
  [[noreturn, gnu::cold, gnu::noinline]] static void refuse(const StoredTensor<const Storage*>& t, const Text& why) {
    throw parameter_error(std::string(t.path).append(why.view()));
  }

 public:
  /// Of parameter `number`; none if it is negative. Fails with the path of a parameter that was never given values.
  FloatValues(const ModelTensors& tensors, int number) {
    if (number < 0) return;
    const StoredTensor<const Storage*>& t = tensors[std::size_t(number)];
    if (!*t.storage) refuse(t, Text{} << ' ' << t.dims << " has no values yet: load a checkpoint or write its data");
    if (!computes_with(t.dtype))
      refuse(t, Text{} << ": parameters of type " << dtype_name(t.dtype) << " are not computed with");
    const std::byte* elements = t.storage->data();
    if (t.storage->memory()) {
      fetched = Storage::uninitialized(t.bytes());
      Storage::copy_bytes(fetched, 0, *t.storage, 0, t.bytes());
      elements = fetched.data();
    }
    if (t.dtype == Dtype::float32) {
      values = reinterpret_cast<const float*>(elements);
      return;
    }
    const idx size = count(t.dims);
    converted = Storage::uninitialized(std::size_t(size) * sizeof(float));
    float* const to = reinterpret_cast<float*>(converted.data());
    for (idx i = 0; i < size; ++i) to[i] = float_element(t.dtype, elements, i);
    values = to;
  }
  FloatValues(const FloatValues&) = delete;
  FloatValues& operator=(const FloatValues&) = delete;
  operator const float*() const { return values; }
};

/// A producer's parameters as floats, and those of the batch norm that is folded into them.
struct ProducerValues {
  FloatValues weight, bias, gamma, beta, mean, variance;
  double eps;

  ProducerValues(const planning::Step& step, const ModelTensors& tensors)
      : weight(tensors, step.parameters[0]), bias(tensors, step.parameters[1]), gamma(tensors, step.norm[0]),
        beta(tensors, step.norm[1]), mean(tensors, step.norm[2]), variance(tensors, step.norm[3]), eps(step.norm_eps) {}

  ProducerWeights weights() const { return {weight, bias, gamma, beta, mean, variance, eps}; }
};

/// A number that changes when any of a step's parameters is written.
inline std::uint64_t version_of(const planning::Step& step, const ModelTensors& tensors) {
  std::uint64_t version = 1;
  const auto add = [&](int number) {
    version *= 0x9e3779b97f4a7c15u;
    if (number >= 0) version += tensors[std::size_t(number)].storage->version() + 1;
  };
  for (int k = 0; k < 4; ++k) add(step.parameters[k]), add(step.norm[k]);
  return version;
}

}  // namespace lamina::calls
