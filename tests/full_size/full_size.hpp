/// Whole networks against the outputs that PyTorch computed in float64.
#pragma once
#include "hashed_weights.hpp"
#include <utility>

namespace full_size {

/// The input and the expected output of a network.
class Reference {
 public:
  /// Reads `name`.safetensors of this folder.
  explicit Reference(const char* name);
  void read(const char* tensor, const lamina::Dims& dims, float* elements) const;
  /// max|y - output| < tolerance * max|output|; prints the measured error.
  void compare(const char* reading, const lamina::Dims& dims, const float* y, const char* output = "output",
               double tolerance = 1e-5) const;

 private:
  const char* name;
  lamina::io::StateDict tensors;
};

/// The network on the reference's input: eager, planned, and planned in bfloat16, whose 8 bits may take 3% of the
/// largest output.
template <class Net, lamina::shape Input> void check_eager(const char* name) {
  const Reference reference(name);
  Net net;
  fill(net);
  lamina::Tensor<float, Input> x;
  reference.read("input", x.dims(), x.data());
  const auto y = lamina::materialise(std::as_const(net)(x));
  reference.compare("eager", y.dims(), y.data());
}
template <class Net, lamina::shape Input> void check_planned(const char* name) {
  const Reference reference(name);
  Net net;
  fill(net);
  lamina::Tensor<float, Input> x;
  reference.read("input", x.dims(), x.data());
  auto engine = lamina::compile<Input>(net);
  const auto y = engine(x);
  reference.compare("planned", y.dims(), y.data());
}
template <class Net, lamina::shape Input> void check_bfloat16(const char* name) {
  const Reference reference(name);
  Net net;
  fill(net);
  lamina::Tensor<float, Input> x;
  reference.read("input", x.dims(), x.data());
  constexpr lamina::CompileOptions options{.accuracy = lamina::Accuracy::exact,
                                           .precision = lamina::Precision::bfloat16};
  const auto y = lamina::compile<options, Input>(net)(x);
  reference.compare("bfloat16", y.dims(), y.data(), "output", 0.03);
}

}  // namespace full_size
