#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/init/reset_parameters.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/conv2d.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/reflect/apply.hpp>
#include <string>
#include <vector>

using namespace lamina;

namespace {
struct Scaled {
  Linear<4, 4> fc;
  Parameter<Shape<4>> scale;
  void reset_parameters(Generator&) { constant_(scale, 0.25); }
};
struct Bare {
  Linear<4, 4> fc;
  Parameter<Shape<4>> scale;
};
}  // namespace

TEST_CASE("a module may reset its own parameters; those that nobody resets stay empty") {
  Generator generator(0);
  Sequential<Scaled, Bare> net;
  reset_parameters(net, generator);
  CHECK(std::as_const(net[Index<0>{}]).scale.data()[3] == 0.25f);
  CHECK(net[Index<0>{}].fc.weight.has_values());
  CHECK_FALSE(net[Index<1>{}].scale.has_values());
}

TEST_CASE("a seed repeats its numbers, another gives others") {
  Parameter<Shape<20>> a, b, c;
  Generator generator(5);
  normal_(a, generator);
  generator.manual_seed(5);
  normal_(b, generator);
  normal_(c, generator);
  CHECK(std::equal(a.span().begin(), a.span().end(), b.span().begin()));
  CHECK_FALSE(std::equal(a.span().begin(), a.span().end(), c.span().begin()));
}

TEST_CASE("buffers and integers are filled too") {
  Buffer<Shape<3>, std::int64_t> buffer;
  ones_(buffer);
  CHECK(buffer.span()[2] == 1);
  zeros_(buffer);
  CHECK(buffer.span()[2] == 0);
}

TEST_CASE("apply visits children before the module that holds them, as Module.apply") {
  Sequential<Sequential<Linear<2, 2>, ReLU>, Linear<2, 1>> net;
  std::vector<std::string> visited;
  apply(net, [&]<class M>(M& module) {
    visited.emplace_back(module_name<M>());
    if constexpr (requires { module.weight; }) constant_(module.weight, 3);
  });
  CHECK(visited == std::vector<std::string>{"Linear", "ReLU", "Sequential", "Linear", "Sequential"});
  CHECK(std::as_const(net[Index<1>{}]).weight.data()[1] == 3);
}
