#include "full_size.hpp"
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdio>
#include <vector>

namespace full_size {

namespace {
std::vector<lamina::idx> extents(const lamina::Dims& dims) { return {dims.begin(), dims.end()}; }
std::vector<lamina::idx> extents(const lamina::io::TensorRecord& tensor) {
  return {tensor.shape.begin(), tensor.shape.end()};
}
}  // namespace

Reference::Reference(const char* name)
    : name(name), tensors(lamina::io::read_state_dict(LAMINA_SOURCE_ROOT "/tests/full_size/" + std::string(name) +
                                                      ".safetensors")) {}

void Reference::read(const char* tensor, const lamina::Dims& dims, float* elements) const {
  const auto* input = tensors.find(tensor);
  REQUIRE(input);
  REQUIRE(extents(*input) == extents(dims));
  lamina::io::copy_elements(*input, lamina::Dtype::float32, elements);
}

void Reference::compare(const char* reading, const lamina::Dims& dims, const float* y, const char* tensor,
                        double tolerance) const {
  const auto* output = tensors.find(tensor);
  REQUIRE(output);
  REQUIRE(extents(*output) == extents(dims));
  std::vector<double> expected(std::size_t(output->numel()));
  lamina::io::copy_elements(*output, lamina::Dtype::float64, expected.data());
  double scale = 0, error = 0;
  bool finite = true;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    scale = std::max(scale, std::abs(expected[i]));
    error = std::max(error, std::abs(y[i] - expected[i]));
    finite = finite && std::isfinite(y[i]);
  }
  std::printf("%s, %s: max error %.2g of max|%s| %.6g\n", name, reading, error / scale, tensor, scale);
  CHECK(finite);
  CHECK(error < tolerance * scale);
}

}  // namespace full_size

// Numbers from outside: the published test vectors of both functions.
static_assert(full_size::fnv1a("") == 0xcbf29ce484222325u);
static_assert(full_size::fnv1a("foobar") == 0x85944171f73967e8u);
static_assert(full_size::splitmix64(0) == 0xe220a8397b1dcdafu);
