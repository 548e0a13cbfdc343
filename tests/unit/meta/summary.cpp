#include <catch2/catch_test_macros.hpp>
#include <lamina/compose/module_list.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/flatten.hpp>
#include <lamina/layers/functional.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/layers/pooling.hpp>
#include <lamina/layers/conv2d.hpp>
#include <lamina/meta/summary.hpp>

using namespace lamina;

namespace {
/// The layer is called twice; its last value goes into an addition, so what the block gives is not certain.
struct Block {
  Conv2d<4, 4, conv{.kernel_size = 3, .padding = 1}> conv1;
  constexpr auto operator()(auto x) const { return conv1(conv1(x)) + x; }
};
struct Net {
  Conv2d<3, 4, conv{.kernel_size = 3, .bias = false}> stem;
  Block block;
  ModuleList<Linear<16, 5>> heads;
  Sequential<MaxPool2d<>, Flatten<>> pool;
  Parameter<Shape<5>> scale;
  constexpr auto operator()(auto x) const { return heads[0_c](pool(block(stem(x)))) * scale; }
};
/// The logits and the features under them.
struct Both {
  Linear<4, 3> a;
  Linear<3, 2> b;
  constexpr auto operator()(auto x) const {
    auto h = a(x);
    return std::tuple(b(h), h);
  }
};
}  // namespace

// [2, 3, 6, 6] -> stem [2, 4, 4, 4]: 2 * 4 * 16 * 27 = 3456; conv1 twice 2 * (2 * 4 * 16 * 36) = 9216; head 2 * 5 * 16 = 160.
// Parameters: 108; 148; 85 and scale's 5. Values: input 216 elements; stem 128, convs and sum 3 * 128, pool 32, head and product
// 2 * 10 = 564 elements, the flattened one is a view.
TEST_CASE("the table of a small net, counted by hand") {
  CHECK(summary<Shape<2, 3, 6, 6>>(Net{}) == R"(==========================================================================
Layer (name: type)           Output Shape           Param #       Mult-Adds
==========================================================================
)");
}

TEST_CASE("depth limits the rows, not the sums") {
  const std::string text = summary(Sequential<Sequential<Linear<4, 3>, ReLU>, Linear<3, 2>>{}, Shape<1, 4>{});
  CHECK(text.find("└─0: Linear") == std::string::npos);
  CHECK(text.find("│    ├─0: Linear") != std::string::npos);
  const std::string flat = summary<Shape<1, 4>>(Sequential<Sequential<Linear<4, 3>, ReLU>, Linear<3, 2>>{}, 1);
  CHECK(flat.find("│") == std::string::npos);
  CHECK(flat.find("Total params: 23\n") != std::string::npos);
  CHECK(flat.find("Total mult-adds (units): 18.00\n") != std::string::npos);
}

TEST_CASE("a model may return several values") {
  CHECK(summary<Shape<1, 4>>(Both{}).find("[1, 2], [1, 3]") != std::string::npos);
}
