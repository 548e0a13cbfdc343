// Output extents as PyTorch's documentation gives them, computed by hand.
#include <catch2/catch_test_macros.hpp>
#include <lamina/ops/all.hpp>

using namespace lamina;
using ops::Window;

static_assert(ops::window_extent(7, Window{3, 1, 0, 0, 1}) == 5);
static_assert(ops::window_extent(7, Window{3, 2, 1, 1, 1}) == 4);
static_assert(ops::window_extent(8, Window{3, 2, 1, 1, 1}) == 4);        // (8 + 2 - 3) / 2 rounds down
static_assert(ops::window_extent(8, Window{3, 2, 1, 1, 1}, true) == 5);  // and up with ceil_mode
static_assert(ops::window_extent(5, Window{2, 2, 0, 0, 1}, true) == 3);
static_assert(ops::window_extent(4, Window{1, 3, 0, 0, 1}, true) == 2);
static_assert(ops::window_extent(4, Window{2, 3, 1, 1, 1}, true) ==
              2);                                                   // a third window would start in the padding behind
static_assert(ops::window_extent(10, Window{3, 1, 0, 0, 3}) == 4);  // reach 7
static_assert(ops::window_extent(2, Window{3, 1, 0, 0, 1}) == 0 &&
              ops::window_extent(dyn, Window{3, 1, 0, 0, 1}) == dyn);

constexpr ops::Conv2d conv{3, 8, 1, {{3, 2, 1, 1, 1}, {5, 1, 0, 0, 1}}};
static_assert(conv.shape({2, 3, 9, 11}) == Dims{2, 8, 5, 7});
static_assert(conv.macs({2, 3, 9, 11}) == 2 * 8 * 5 * 7 * 3 * 3 * 5);
static_assert(conv.shape({dyn, 3, dyn, 11}) == Dims{dyn, 8, dyn, 7});
static_assert(!conv.check({2, 4, 9, 11}).empty() && !conv.check({2, 3, 9}).empty() &&
              !conv.check({2, 3, 9, 4}).empty());

constexpr ops::ConvTranspose2d transposed{4, 2, 1, {{3, 2, 1, 1, 1}, {2, 2, 0, 0, 1}}, 1, 0};
static_assert(transposed.shape({1, 4, 5, 6}) == Dims{1, 2, 10, 12});  // 4 * 2 - 2 + 3 + 1, 5 * 2 + 2
static_assert(!ops::ConvTranspose2d{1, 1, 1, {{1, 1, 1, 1, 1}, {1, 1, 1, 1, 1}}}
                   .check({1, 1, 1, 1})
                   .empty());  // 1 - 2 = -1 is not dyn

static_assert(ops::MaxPool2d{{{2, 2, 0, 0, 1}, {2, 2, 0, 0, 1}}, false}.shape({1, 6, 5, 7}) == Dims{1, 6, 2, 3});
static_assert(!ops::MaxPool2d{{{2, 2, 2, 2, 1}, {2, 2, 0, 0, 1}}, false}.check({1, 6, 5, 7}).empty());
static_assert(ops::AdaptiveAvgPool2d{4, none}.shape({1, 6, 5, 7}) == Dims{1, 6, 4, 7});
static_assert(ops::Upsample{none, none, 2, 1.5}.shape({1, 2, 5, 5}) == Dims{1, 2, 10, 7});
static_assert(ops::Upsample{8, 9}.shape({1, 2, 5, dyn}) == Dims{1, 2, 8, 9});

static_assert(ops::Linear{3, 5}.shape({2, 7, 3}) == Dims{2, 7, 5} &&
              ops::Linear{3, 5}.macs({2, 7, 3}) == 2 * 7 * 3 * 5);
static_assert(ops::Linear{3, 5}.shape({3}) == Dims{5} && !ops::Linear{3, 5}.check({}).empty());

static_assert(ops::Flatten{1, -1}.shape({2, 3, 4, 5}) == Dims{2, 60} && ops::Flatten{0, -1}.shape({2, 3}) == Dims{6});
static_assert(ops::Flatten{1, 2}.shape({2, 3, 4, 5}) == Dims{2, 12, 5} &&
              ops::Flatten{1, -1}.shape({2, dyn, 4}) == Dims{2, dyn});
static_assert(ops::Flatten{0, -1}.shape({}) == Dims{1} && !ops::Flatten{2, 1}.check({2, 3, 4}).empty());
static_assert(ops::Unsqueeze{0}.shape({2, 3}) == Dims{1, 2, 3} && ops::Unsqueeze{-1}.shape({2, 3}) == Dims{2, 3, 1});
static_assert(ops::Unsqueeze{1}.shape({2, 3}) == Dims{2, 1, 3} && !ops::Unsqueeze{3}.check({2, 3}).empty());
static_assert(ops::Reshape{{-1, 4}}.shape({2, 6}) == Dims{3, 4} && ops::Reshape{{12}}.check({2, 6}).empty());
static_assert(!ops::Reshape{{-1, 5}}.check({2, 6}).empty() && !ops::Reshape{{-1, -1}}.check({2, 6}).empty() &&
              !ops::Reshape{{11}}.check({2, 6}).empty());

static_assert(ops::Cat{1}.shape(Dims{2, 3, 4}, Dims{2, 5, 4}, Dims{2, 1, 4}) == Dims{2, 9, 4});
static_assert(ops::Cat{-1}.shape(Dims{2, 3}, Dims{2, dyn}) == Dims{2, dyn} &&
              ops::Cat{0}.shape(Dims{1, dyn}, Dims{2, 7}) == Dims{3, 7});
static_assert(!ops::Cat{1}.check(Dims{2, 3}, Dims{3, 3}).empty() && !ops::Cat{2}.check(Dims{2, 3}, Dims{2, 3}).empty());

constexpr ops::Pad pad{2, {1, 2, 0, -1}};  // columns 1 and 2 more, the last row cut
static_assert(pad.shape({3, 4, 5}) == Dims{3, 3, 8} && ops::Pad{1, {-3, -2}}.shape({5}) == Dims{0} &&
              !pad.check({5}).empty());
static_assert(!ops::Pad{1, {-3, -3}}.check({5}).empty() &&
              !ops::Pad{1, {-3, -5}}.check({5}).empty());  // -1 is not taken for dyn
static_assert(ops::PadTo{}.shape({1, 8, 4, 6}, {1, 4, 5, 7}) == Dims{1, 8, 5, 7});
static_assert(ops::PadTo::before(4, 5) == 0 && ops::PadTo::before(4, 7) == 1 &&
              ops::PadTo::before(7, 4) == -2);  // Python's -3 // 2

constexpr ops::Binary add{};
static_assert(add.shape({2, 3}, {3}) == Dims{2, 3} && add.shape({4, 1, 3}, {2, 1}) == Dims{4, 2, 3} &&
              add.shape({}, {2}) == Dims{2});
static_assert(add.shape({dyn, 3}, {5, 3}) == Dims{5, 3} && add.shape({dyn}, {1}) == Dims{dyn} &&
              !add.check({2, 3}, {2}).empty());
static_assert(ops::Matmul{}.shape({5, 2, 3}, {3, 4}) == Dims{5, 2, 4} &&
              ops::Matmul{}.macs({5, 2, 3}, {3, 4}) == 5 * 2 * 3 * 4);
static_assert(!ops::Matmul{}.check({2, 3}, {2, 3}).empty() && !ops::Matmul{}.check({2, 2, 3}, {3, 3, 4}).empty() &&
              !ops::Matmul{}.check({3}, {3, 4}).empty());

static_assert(ops::CrossEntropy{}.check({2, 5, 3}, {2, 3}).empty() &&
              !ops::CrossEntropy{}.check({2, 5, 3}, {2, 5}).empty());
static_assert(ops::CrossEntropy{}.shape({2, 5}, {2}) == Dims{} &&
              ops::CrossEntropy{ops::Reduction::none}.shape({2, 5, 3}, {2, 3}) == Dims{2, 3});
static_assert(ops::BatchNorm{8}.check({2, 8}).empty() && !ops::BatchNorm{8}.check({8}).empty() &&
              !ops::BatchNorm{8}.check({2, 7}).empty());
static_assert(ops::LayerNorm{{3, 4}}.check({2, 3, 4}).empty() && !ops::LayerNorm{{3, 4}}.check({2, 4, 4}).empty() &&
              !ops::LayerNorm{{3, 4}}.check({4}).empty());
static_assert(!ops::Softmax{2}.check({2, 3}).empty() && ops::Softmax{-2}.check({2, 3}).empty());

TEST_CASE("an operation is found again in the closed list") {
  const Operation operation = ops::Flatten{0, 1};
  CHECK(is<ops::Flatten>(operation));
  CHECK(!is<ops::Conv2d>(operation));
  CHECK(as<ops::Flatten>(operation).end_dim == 1);
  CHECK(name_of(operation) == "flatten");
  CHECK(role_of(operation) == ops::Role::alias);
  CHECK(role_of(Operation(ops::Conv2d{})) == ops::Role::producer);
}
