/// The weights of a step: its parameters in the order that its kernel reads, a batch norm folded in.
#pragma once
#include "../backend/cpu/backend.hpp"
#include "../plan/steps.hpp"
#include "../reflect/stored.hpp"
#include <string>

namespace lamina::inline LAMINA_ISA {

namespace execution {
using ModelTensors = std::vector<StoredTensor<const Storage*>>;

/// A parameter's values as floats: where they lie, or a converted copy.
class FloatValues {
  std::vector<float> converted;
  const float* values = nullptr;

  template <class T> void convert(const StoredTensor<const Storage*>& t) {
    const T* const from = reinterpret_cast<const T*>(t.storage->data());
    converted.resize(std::size_t(count(t.dims)));
    for (std::size_t i = 0; i < converted.size(); ++i) converted[i] = float(from[i]);
    values = converted.data();
  }

 public:
  /// Of parameter `number`; none if it is negative. Fails with the path of a parameter that was never given values.
  FloatValues(const ModelTensors& tensors, int number) {
    if (number < 0) return;
    const StoredTensor<const Storage*>& t = tensors[std::size_t(number)];
    if (!*t.storage)
      throw parameter_error(t.path + " " + std::string((Text{} << t.dims).view()) +
                            " has no values yet: load a checkpoint or write its data");
    switch (t.dtype) {
    case Dtype::float32: values = reinterpret_cast<const float*>(t.storage->data()); break;
    case Dtype::float64: convert<double>(t); break;
    case Dtype::float16: convert<float16>(t); break;
    case Dtype::bfloat16: convert<bfloat16>(t); break;
    case Dtype::int64: convert<std::int64_t>(t); break;
    case Dtype::int32: convert<std::int32_t>(t); break;
    case Dtype::uint8: convert<std::uint8_t>(t); break;
    case Dtype::boolean: convert<bool>(t); break;
    default:
      throw parameter_error(t.path + ": parameters of type " + std::string(dtype_name(t.dtype)) +
                            " are not computed with");
    }
  }
  FloatValues(const FloatValues&) = delete;
  FloatValues& operator=(const FloatValues&) = delete;
  operator const float*() const { return values; }
};

/// Packs a step's parameters into its block of weights.
inline void pack(const Step& step, const ModelTensors& tensors, float* block) {
  const cpu::Method method = cpu::Method(step.method);
  const auto pack_producer = [&](const auto& op) {
    const FloatValues weight(tensors, step.parameters[0]), bias(tensors, step.parameters[1]);
    const FloatValues gamma(tensors, step.norm[0]), beta(tensors, step.norm[1]), mean(tensors, step.norm[2]),
        variance(tensors, step.norm[3]);
    cpu::pack(op, method, {weight, bias, gamma, beta, mean, variance, step.norm_eps}, block + step.packed[0],
              block + step.packed[1]);
  };
  if (is<ops::Conv2d>(step.operation)) return pack_producer(as<ops::Conv2d>(step.operation));
  if (is<ops::Linear>(step.operation)) return pack_producer(as<ops::Linear>(step.operation));
  if (is<ops::ConvTranspose2d>(step.operation)) return pack_producer(as<ops::ConvTranspose2d>(step.operation));
  for (int k = 0; k < 4; ++k) {
    const FloatValues values(tensors, step.parameters[k]);
    if (values) cpu::copy_row(values, block + step.packed[k], count(tensors[std::size_t(step.parameters[k])].dims));
  }
}

/// A number that changes when any of a step's parameters is written.
inline std::uint64_t version_of(const Step& step, const ModelTensors& tensors) {
  std::uint64_t version = 1;
  const auto add = [&](int number) {
    version *= 0x9e3779b97f4a7c15u;
    if (number >= 0) version += tensors[std::size_t(number)].storage->version() + 1;
  };
  for (int k = 0; k < 4; ++k) add(step.parameters[k]), add(step.norm[k]);
  return version;
}
}  // namespace execution

}  // namespace lamina::inline LAMINA_ISA
