/// What the plan promises: fusion, concatenations without copies, memory that is no larger than it says.
#include "laws.hpp"
#include <catch2/catch_test_macros.hpp>

using namespace lamina;

namespace {
struct Residual {
  Conv2d<16, 16, conv{.kernel_size = 3, .padding = 1}> conv1;
  BatchNorm2d<16> bn1;
  Conv2d<16, 16, conv{.kernel_size = 3, .padding = 1}> conv2;
  BatchNorm2d<16> bn2;
  constexpr auto operator()(auto x) const {
    auto h = relu(bn1(conv1(x)));
    return relu(bn2(conv2(h)) + x);
  }
};
struct SqueezeExcitation {
  Conv2d<16, 24, conv{.kernel_size = 3, .padding = 1}> conv1;
  GroupNorm<6, 24> norm;
  AdaptiveAvgPool2d<1> avgpool;
  Conv2d<24, 6> fc1;
  Conv2d<6, 24> fc2;
  Conv2d<24, 16> conv2;
  constexpr auto operator()(auto x) const {
    auto h = relu(norm(conv1(x)));
    return conv2(h * sigmoid(fc2(relu(fc1(avgpool(h))))));
  }
};
template <class Net, class... Spec> constexpr int steps_of(std::string_view name) {
  int n = 0;
  for (const planning::Step& step : StaticPlan<Net, CompileOptions{}, Spec...>::table.steps)
    n += name_of(step.operation) == name;
  return n;
}
template <class Net, class... Spec>
constexpr int all_steps = int(StaticPlan<Net, CompileOptions{}, Spec...>::table.steps.size());
}  // namespace

// A block is two kernels: convolution, batch norm, addition and activation in one each. The caller's planar input is
// copied into blocks of channels, and the result out of them.
static_assert(steps_of<Residual, Shape<1, 16, 8, 8>>("conv2d") == 2);
static_assert(steps_of<Residual, Shape<1, 16, 8, 8>>("copy") == 2);
static_assert(all_steps<Residual, Shape<1, 16, 8, 8>> == 4);

// Channels of an image are scaled where they are.
static_assert(steps_of<SqueezeExcitation, Shape<1, 16, 8, 8>>("copy") == 2);

// ResNet-50: 53 convolutions, one linear layer, two poolings, and nothing else.
static_assert(steps_of<models::ResNet50, Shape<1, 3, 224, 224>>("conv2d") == 53);
static_assert(all_steps<models::ResNet50, Shape<1, 3, 224, 224>> == 56);

// The U-Net's four concatenations are offsets: no step joins, and the one copy is the result's.
static_assert(steps_of<models::UNet<3, 2>, Shape<1, 3, 96, 80>>("cat") == 0);
static_assert(steps_of<models::UNet<3, 2>, Shape<1, 3, 96, 80>>("copy") == 1);

// Sharing memory saves most of it: activations take less than a fifth, and less than a third, of all values side by
// side.
template <class Net, class Spec> constexpr auto& table_of = StaticPlan<Net, CompileOptions{}, Spec>::table;
static_assert(5 * table_of<models::ResNet50, Shape<1, 3, 224, 224>>.memory.activations <
              table_of<models::ResNet50, Shape<1, 3, 224, 224>>.unplanned);
static_assert(3 * table_of<models::UNet<3, 2>, Shape<1, 3, 96, 80>>.memory.activations <
              table_of<models::UNet<3, 2>, Shape<1, 3, 96, 80>>.unplanned);

namespace {
/// Every result lies inside the arena, before the scratch.
template <class Table> bool places_fit(const Table& table) {
  for (const planning::Step& step : table.steps) {
    if (step.out.source != planning::Source::arena) continue;
    const idx items = item_count(step.out.dims);
    const idx end =
        step.out.offset + (items - 1) * step.out.item_stride + item_elements(step.out.dims, step.out.layout);
    if (step.out.offset < 0 || end > table.memory.activations) return false;
  }
  return true;
}
}  // namespace

TEST_CASE("all results of steps lie in the arena, before the scratch") {
  CHECK(places_fit(StaticPlan<models::ResNet50, CompileOptions{}, Shape<1, 3, 224, 224>>::table));
  CHECK(places_fit(StaticPlan<models::UNet<3, 2>, CompileOptions{}, Shape<2, 3, 37, 53>>::table));
}
