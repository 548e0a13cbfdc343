// Numbers that PyTorch drew (make_draws.py).
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <lamina/compose/sequential.hpp>
#include <lamina/init/reset_parameters.hpp>
#include <lamina/io/load.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/batch_norm.hpp>
#include <lamina/layers/conv2d.hpp>
#include <lamina/layers/conv_transpose2d.hpp>
#include <lamina/layers/flatten.hpp>
#include <lamina/layers/group_norm.hpp>
#include <lamina/layers/layer_norm.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

namespace {
using Weight = Parameter<Shape<6, 4, 3, 2>>;
struct Draws {
  Parameter<Shape<100>> uniform;
  Parameter<Shape<50>, double> uniform_f64;
  Parameter<Shape<7>> normal_7;
  Parameter<Shape<15>> normal_15;
  Parameter<Shape<16>> normal_16;
  Parameter<Shape<17>> normal_17;
  Parameter<Shape<40>> normal_40;
  Parameter<Shape<40>, double> normal_f64_40;
  Parameter<Shape<9>> mixed;
  Weight kaiming_uniform, kaiming_uniform_out, kaiming_normal, xavier_uniform, xavier_normal;
  Sequential<Conv2d<3, 4, conv{.kernel_size = {3, 2}, .bias = false}>, BatchNorm2d<4>,
             Conv2d<4, 6, conv{.kernel_size = 3, .groups = 2}>, GroupNorm<2, 6>, ReLU,
             ConvTranspose2d<6, 4, conv_transpose{.kernel_size = 2, .stride = 2}>, Flatten<>, Linear<16, 5>,
             LayerNorm<Shape<5>>, Linear<5, 2, false>>
      net;
};
const Draws& torch_draws() {
  static const Draws draws = [] {
    Draws read;
    load(read, LAMINA_SOURCE_ROOT "/tests/unit/init/draws.pth");
    return read;
  }();
  return draws;
}

/// Calls fill(parameter, generator) and returns the largest difference from what PyTorch drew.
template <class P, class Fill> double difference(const P& expected, std::uint64_t seed, Fill fill) {
  Generator generator(seed);
  P parameter;
  fill(parameter, generator);
  double largest = 0;
  for (std::size_t i = 0; i < expected.span().size(); ++i)
    largest = std::max(largest, std::abs(double(expected.span()[i]) - double(parameter.span()[i])));
  return largest;
}
// Pairs of 16 numbers or more come from float logarithms and sines, which are not the same in all libraries. The
// largest of them are below 4.
constexpr double last_bits = 1e-6;
}  // namespace

TEST_CASE("uniform draws are PyTorch's, bit for bit") {
  const Draws& torch = torch_draws();
  const auto fill = [](auto& p, Generator& g) { uniform_(p, g, -0.3, 0.7); };
  CHECK(difference(torch.uniform, (std::uint64_t(1) << 35) + 7, fill) == 0);
  CHECK(difference(torch.uniform_f64, 0, fill) == 0);
  CHECK(difference(torch.kaiming_uniform, 0, [](auto& p, Generator& g) { kaiming_uniform_(p, g, {.a = 0.2}); }) == 0);
  CHECK(difference(torch.kaiming_uniform_out, 0, [](auto& p, Generator& g) {
          kaiming_uniform_(p, g, {.mode = Fan::fan_out, .nonlinearity = Nonlinearity::relu});
        }) == 0);
  CHECK(difference(torch.xavier_uniform, 0,
                   [](auto& p, Generator& g) { xavier_uniform_(p, g, calculate_gain(Nonlinearity::tanh)); }) == 0);
}

TEST_CASE("fewer than 16 normal draws are PyTorch's, bit for bit, and one waits for the next") {
  const Draws& torch = torch_draws();
  const auto fill = [](auto& p, Generator& g) { normal_(p, g, 0.5, 2); };
  CHECK(difference(torch.normal_7, 7, fill) == 0);
  CHECK(difference(torch.normal_15, 15, fill) == 0);
  CHECK(difference(torch.mixed, 3, [](auto& p, Generator& g) {
          for (int i = 0; i < 3; ++i) p.data()[i] = float(g.normal());
          for (int i = 3; i < 5; ++i) p.data()[i] = g.uniform<float>();
          for (int i = 5; i < 9; ++i) p.data()[i] = float(g.normal());
        }) == 0);
}

TEST_CASE("16 normal draws and more are PyTorch's but for the last bits") {
  const Draws& torch = torch_draws();
  const auto fill = [](auto& p, Generator& g) { normal_(p, g, 0.5, 2); };
  CHECK(difference(torch.normal_16, 16, fill) < last_bits);
  CHECK(difference(torch.normal_17, 17, fill) < last_bits);
  CHECK(difference(torch.normal_40, 40, fill) < last_bits);
  CHECK(difference(torch.normal_f64_40, 0, fill) < 1e-14);
  CHECK(difference(torch.kaiming_normal, 0, [](auto& p, Generator& g) {
          kaiming_normal_(p, g, {.mode = Fan::fan_out, .nonlinearity = Nonlinearity::relu});
        }) < last_bits);
  CHECK(difference(torch.xavier_normal, 0, [](auto& p, Generator& g) { xavier_normal_(p, g); }) < last_bits);
}

TEST_CASE("a net's default values are PyTorch's, bit for bit") {
  const Draws& torch = torch_draws();
  decltype(Draws::net) net;
  Generator generator(0);
  reset_parameters(net, generator);
  const auto expected = stored_tensors(torch.net);
  const auto actual = stored_tensors(std::as_const(net));
  REQUIRE(expected.size() == actual.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    INFO(expected[i].path);
    REQUIRE(bool(*actual[i].storage));
    CHECK(std::memcmp(expected[i].storage->data(), actual[i].storage->data(), expected[i].bytes()) == 0);
  }
}
