#include <catch2/catch_test_macros.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/batch_norm.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/reflect/keys.hpp>
#include <lamina/reflect/requires_grad.hpp>

using namespace lamina;

namespace {
using Net = Sequential<named<"fc", Linear<4, 3>>, named<"fc2", Sequential<Linear<3, 2>, BatchNorm1d<2>>>>;
}

TEST_CASE("parts are frozen by path, as the constant counts them") {
  Net net;
  CHECK(count_trainable(net) == parameter_count<Net>);
  requires_grad_<"fc">(net, false);  // fc2 begins with the same letters
  CHECK(count_trainable(net) == trainable_parameter_count<Net, frozen<"fc">>);
  CHECK(count_trainable(net) == 3 * 2 + 2 + 2 + 2);
  requires_grad_<"fc2.0.bias", "fc2.1">(net, false);
  CHECK(count_trainable(net) == 3 * 2);
  CHECK(count_trainable(net) == trainable_parameter_count<Net, frozen<"fc", "fc2.0.bias", "fc2.1">>);
  requires_grad_<"fc.bias">(net, true);
  CHECK(count_trainable(net) == 3 * 2 + 3);
  requires_grad_(net, false);
  CHECK(count_trainable(net) == 0);
  requires_grad_(net);
  CHECK(count_trainable(net) == parameter_count<Net>);
}

TEST_CASE("parts are frozen by predicate") {
  Net net;
  requires_grad_(net, false, [](std::string_view path) { return path.ends_with("bias"); });
  CHECK(count_trainable(net) == 4 * 3 + 3 * 2 + 2);
  CHECK_FALSE(net[Member<"fc">{}].bias.requires_grad);
}

TEST_CASE("a copy and a moved model are frozen where the model is") {
  Net net;
  requires_grad_<"fc">(net, false);
  Net copy = net;
  CHECK(count_trainable(copy) == count_trainable(net));
  Net moved = std::move(net);
  CHECK(count_trainable(moved) == count_trainable(copy));
}
