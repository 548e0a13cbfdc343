/// Expressions own what they read: they may outlive the layers, models and tensors that made them. Run under the
/// address sanitizer.
#include "laws.hpp"
#include <catch2/catch_test_macros.hpp>

using namespace lamina;
using namespace laws;

namespace {
struct Block {
  Conv2d<2, 3, conv{.kernel_size = 3, .padding = 1}> conv1;
  BatchNorm2d<3> bn1;
  constexpr auto operator()(auto x) const { return relu(bn1(conv1(x))); }
};
// What is returned is not computed yet: it reads the weights of a model that is gone.
auto local_model() {
  Block net;
  fill(net, 1);
  Tensor<float, Shape<1, 2, 4, 4>> x;
  fill(x, 2);
  return net(x);
}
}  // namespace

TEST_CASE("the result of a local model is valid after the model is gone") {
  Block net;
  fill(net, 1);
  Tensor<float, Shape<1, 2, 4, 4>> x;
  fill(x, 2);
  auto pending = local_model();
  const Tensor<float, Shape<1, 3, 4, 4>> expected = net(x);
  CHECK(difference(pending, expected) == 0);
}

TEST_CASE("a named expression computes once and its copies share the result") {
  Linear<3, 2> net;
  fill(net, 3);
  Tensor<float, Shape<1, 3>> x;
  fill(x, 4);
  auto y = net(x);
  auto copy = y;
  CHECK(copy.data() == y.data());
  auto sum = y + y;
  for (idx i = 0; i < y.size(); ++i) CHECK(sum.data()[i] == 2 * y.data()[i]);
}

TEST_CASE("a parameter without values is named, and so is one under a path") {
  Tensor<float, Shape<1, 2, 4, 4>> x;
  const Block net{};
  CHECK_THROWS_AS(net(x), parameter_error);
  try {
    compile<Shape<1, 2, 4, 4>>(net);
    FAIL("compiled without weights");
  } catch (const parameter_error& e) {
    CHECK(std::string(e.what()).find("conv1.weight [3, 2, 3, 3]") != std::string::npos);
  }
}

TEST_CASE("extents that only the run knows are checked, and the model goes on working") {
  Linear<3, 2> net;
  fill(net, 5);
  auto engine = compile<Shape<dyn, dyn>>(net);
  Tensor<float, Shape<dyn, dyn>> good({4, 3}), bad({4, 5});
  CHECK_THROWS_AS(engine(bad), shape_error);
  CHECK(engine(good).dims() == Dims{4, 2});
  CHECK_THROWS_AS(net(bad), shape_error);
}
