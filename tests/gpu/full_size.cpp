// Whole networks on a GPU against PyTorch's output, in every precision.
#include "full_size/full_size.hpp"
#include <catch2/catch_test_macros.hpp>
#include <lamina/cuda.hpp>

using namespace lamina;

namespace {
template <Precision P, class Input, class Net>
void check(const Net& net, const full_size::Reference& reference, const char* reading, double tolerance) {
  Tensor<float, Input> x;
  reference.read("input", x.dims(), x.data());
  const auto engine = compile<CompileOptions{.precision = P}, Input>(net, cuda{0});
  engine.warm_up();
  const auto y = engine(x);
  reference.compare(reading, y.dims(), y.data(), "output", tolerance);
}
/// A 10-bit mantissa may take 1% of the largest output, one of 7 bits 6%. Activations of a network that overflows are
/// beyond float16's 65504.
template <class Net, class Input, bool Overflows = false> void check_all(const char* name) {
  const full_size::Reference reference(name);
  Net net;
  full_size::fill(net);
  check<Precision::float32, Input>(net, reference, "cuda float32", 1e-5);
  check<Precision::tensorfloat32, Input>(net, reference, "cuda tensorfloat32", 0.01);
  if constexpr (!Overflows) check<Precision::float16, Input>(net, reference, "cuda float16", 0.01);
  check<Precision::bfloat16, Input>(net, reference, "cuda bfloat16", 0.06);
}
}  // namespace

TEST_CASE("gpu full_size/resnet18_224") { check_all<models::ResNet18, Shape<1, 3, 224, 224>>("resnet18_224"); }
TEST_CASE("gpu full_size/resnet50_224") { check_all<models::ResNet50, Shape<1, 3, 224, 224>, true>("resnet50_224"); }
TEST_CASE("gpu full_size/unet_3_2_bilinear_96x80") {
  check_all<models::UNet<3, 2>, Shape<1, 3, 96, 80>>("unet_3_2_bilinear_96x80");
}
TEST_CASE("gpu full_size/unet_3_2_transposed_100x75") {
  check_all<models::UNet<3, 2, false>, Shape<1, 3, 100, 75>>("unet_3_2_transposed_100x75");
}
