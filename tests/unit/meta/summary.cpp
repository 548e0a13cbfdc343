#include <catch2/catch_test_macros.hpp>
#include <lamina/compose/module_list.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/conv2d.hpp>
#include <lamina/layers/flatten.hpp>
#include <lamina/layers/functional.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/layers/pooling.hpp>
#include <lamina/meta/summary.hpp>

using namespace lamina;

namespace {
/// The layer is called twice; what an addition makes of its last value has the same shape, whosever it is.
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

// For each of 2000 items: [3, 6, 6] -> stem [4, 4, 4] in 4 * 16 * 27 = 1728 multiply-adds, conv1 twice 2 * 4 * 16 * 36
// = 4608, head 5 * 16 = 80. Parameters: 3 * 4 * 9; 4 * 4 * 9 + 4; 5 * 16 + 5; scale's 5. The input has 108 elements;
// the values 64 (stem), 3 * 64 (conv1 twice and the sum), 16 (pool) and 2 * 5 (head and product), together 282; the
// flattened one is a view. The longest way has the stem, conv1 twice and the head; the head sees 4 x 4 elements of the
// block, which see 2 more on each side of the stem's, which see 2 more of the input: 4 + 4 + 2.
TEST_CASE("the table of a small net, counted by hand") {
  const std::string expected =
      R"(==============================================================================
Layer (name: type)              Output Shape           Param #       Mult-Adds
==============================================================================
Net                             [2000, 5]                  346      12,832,000
├─stem: Conv2d                  [2000, 4, 4, 4]            108       3,456,000
├─block: Block                  [2000, 4, 4, 4]            148       9,216,000
│    └─conv1: Conv2d (2 calls)  [2000, 4, 4, 4]            148       9,216,000
├─heads: ModuleList             --                          85         160,000
│    └─0: Linear                [2000, 5]                   85         160,000
└─pool: Sequential              [2000, 16]                  --              --
     ├─0: MaxPool2d             [2000, 4, 2, 2]             --              --
     └─1: Flatten               [2000, 16]                  --              --
==============================================================================
Total params: 346
Trainable params: 346
Total mult-adds (M): 12.83
Total FLOPs (M): 25.66
Depth (weight layers): 4
Receptive field: 10 x 10
==============================================================================
Input size (MB): 0.86
Forward pass size (MB): 2.26
Params size (MB): 0.00
Estimated total size (MB): 3.12
==============================================================================
)";
  CHECK(summary<Shape<2000, 3, 6, 6>>(Net{}) == expected);
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
