/// Tensors of a graph while it is interpreted.
#pragma once
#include "descriptor.hpp"

namespace emulation {

/// The elements of a tensor as floats, packed: channels last if it has four dimensions, else in the order of its
/// dimensions.
struct Values {
  std::vector<std::int64_t> dims;
  std::vector<float> elements;

  explicit Values(std::vector<std::int64_t> extents);
  /// Distances between elements along each dimension.
  std::vector<std::int64_t> strides() const;
};

Values load(const TensorShape& tensor, const char* memory);
/// Rounds to the tensor's type and writes what it has in memory.
void store(const TensorShape& tensor, const Values& values, char* memory);
/// Rounds to the tensor's type.
void round_to(cudnnDataType_t type, Values& values);
/// Rounds to 10 bits of mantissa, as tensor cores take operands of type float.
void round_to_tensorfloat32(Values& values);

/// products.cpp. `window` is the descriptor of the convolution; extents are those of `result`.
void convolve(const Values& image, const Values& filter, const Descriptor& window, Values& result);
void convolve_backward_data(const Values& gradient, const Values& filter, const Descriptor& window, Values& result);
void multiply_matrices(const Values& a, const Values& b, Values& result);

/// pointwise.cpp: a function of one or two numbers; nullptr if it is not emulated.
struct PointwiseParameters {
  double lower, upper, slope, elu_alpha, softplus_beta, swish_beta;
  explicit PointwiseParameters(const Descriptor& function);
};
using PointwiseFunction = float (*)(const PointwiseParameters& parameters, float a, float b);
PointwiseFunction pointwise_function(cudnnPointwiseMode_t mode);
bool has_two_operands(cudnnPointwiseMode_t mode);

}  // namespace emulation
