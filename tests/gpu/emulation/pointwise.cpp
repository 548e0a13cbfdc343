/// Functions of one or two numbers. NaN stays NaN, so that memory that was never written shows.
#include "values.hpp"
#include <cmath>

namespace emulation {
namespace {

using P = const PointwiseParameters&;

float relu(P of, float a, float) {
  if (a <= of.lower) return float(of.lower + of.slope * (a - of.lower));
  return a >= of.upper ? float(of.upper) : a;
}
float softplus(P of, float a, float) {
  const double scaled = of.softplus_beta * a;
  return float(scaled > 40 ? a : std::log1p(std::exp(scaled)) / of.softplus_beta);
}
float gelu(P, float a, float) { return 0.5f * a * (1 + std::erf(a * float(M_SQRT1_2))); }
float gelu_by_tanh(P, float a, float) {
  return 0.5f * a * (1 + std::tanh(float(M_2_SQRTPI * M_SQRT1_2) * (a + 0.044715f * a * a * a)));
}

}  // namespace

PointwiseParameters::PointwiseParameters(const Descriptor& function)
    : lower(function.get<double>(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP, 0)),
      upper(function.get<double>(CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP, HUGE_VAL)),
      slope(function.get<double>(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, 0)),
      elu_alpha(function.get<double>(CUDNN_ATTR_POINTWISE_ELU_ALPHA, 1)),
      softplus_beta(function.get<double>(CUDNN_ATTR_POINTWISE_SOFTPLUS_BETA, 1)),
      swish_beta(function.get<double>(CUDNN_ATTR_POINTWISE_SWISH_BETA, 1)) {}

PointwiseFunction pointwise_function(cudnnPointwiseMode_t mode) {
  switch (mode) {
  case CUDNN_POINTWISE_ADD: return [](P, float a, float b) { return a + b; };
  case CUDNN_POINTWISE_SUB: return [](P, float a, float b) { return a - b; };
  case CUDNN_POINTWISE_MUL: return [](P, float a, float b) { return a * b; };
  case CUDNN_POINTWISE_DIV: return [](P, float a, float b) { return a / b; };
  case CUDNN_POINTWISE_MAX: return [](P, float a, float b) { return a > b || a != a ? a : b; };
  case CUDNN_POINTWISE_MIN: return [](P, float a, float b) { return a < b || a != a ? a : b; };
  case CUDNN_POINTWISE_POW: return [](P, float a, float b) { return std::pow(a, b); };
  case CUDNN_POINTWISE_ABS: return [](P, float a, float) { return std::fabs(a); };
  case CUDNN_POINTWISE_CEIL: return [](P, float a, float) { return std::ceil(a); };
  case CUDNN_POINTWISE_FLOOR: return [](P, float a, float) { return std::floor(a); };
  case CUDNN_POINTWISE_EXP: return [](P, float a, float) { return std::exp(a); };
  case CUDNN_POINTWISE_LOG: return [](P, float a, float) { return std::log(a); };
  case CUDNN_POINTWISE_NEG: return [](P, float a, float) { return -a; };
  case CUDNN_POINTWISE_SQRT: return [](P, float a, float) { return std::sqrt(a); };
  case CUDNN_POINTWISE_RSQRT: return [](P, float a, float) { return 1 / std::sqrt(a); };
  case CUDNN_POINTWISE_RECIPROCAL: return [](P, float a, float) { return 1 / a; };
  case CUDNN_POINTWISE_ERF: return [](P, float a, float) { return std::erf(a); };
  case CUDNN_POINTWISE_IDENTITY: return [](P, float a, float) { return a; };
  case CUDNN_POINTWISE_TANH_FWD: return [](P, float a, float) { return std::tanh(a); };
  case CUDNN_POINTWISE_SIGMOID_FWD: return [](P, float a, float) { return 1 / (1 + std::exp(-a)); };
  case CUDNN_POINTWISE_RELU_FWD: return relu;
  case CUDNN_POINTWISE_ELU_FWD:
    return [](P of, float a, float) { return a < 0 ? float(of.elu_alpha) * std::expm1(a) : a; };
  case CUDNN_POINTWISE_SOFTPLUS_FWD: return softplus;
  case CUDNN_POINTWISE_SWISH_FWD:
    return [](P of, float a, float) { return a / (1 + std::exp(-float(of.swish_beta) * a)); };
  case CUDNN_POINTWISE_GELU_FWD: return gelu;
  case CUDNN_POINTWISE_GELU_APPROX_TANH_FWD: return gelu_by_tanh;
  default: return nullptr;
  }
}

bool has_two_operands(cudnnPointwiseMode_t mode) {
  switch (mode) {
  case CUDNN_POINTWISE_ADD:
  case CUDNN_POINTWISE_SUB:
  case CUDNN_POINTWISE_MUL:
  case CUDNN_POINTWISE_DIV:
  case CUDNN_POINTWISE_MAX:
  case CUDNN_POINTWISE_MIN:
  case CUDNN_POINTWISE_POW: return true;
  default: return false;
  }
}

}  // namespace emulation
