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
template <class Net, class... Spec> constexpr int steps_of(std::string_view name) {
  int n = 0;
  for (const Step& step : StaticPlan<Net, Spec...>::table.steps) n += name_of(step.operation) == name;
  return n;
}
template <class Net, class... Spec> constexpr int all_steps = int(StaticPlan<Net, Spec...>::table.steps.size());
}  // namespace

// A block is two kernels: convolution, batch norm, addition and activation in one each.
static_assert(all_steps<Residual, Shape<1, 16, 8, 8>> == 2);

// ResNet-50: 53 convolutions, one linear layer, two poolings, and nothing else.
static_assert(steps_of<models::ResNet50, Shape<1, 3, 224, 224>>("conv2d") == 53);
static_assert(all_steps<models::ResNet50, Shape<1, 3, 224, 224>> == 56);

// The U-Net's four concatenations are offsets: no step copies or joins.
static_assert(steps_of<models::UNet<3, 2>, Shape<1, 3, 96, 80>>("cat") == 0);
static_assert(steps_of<models::UNet<3, 2>, Shape<1, 3, 96, 80>>("identity") == 0);

// Sharing memory saves most of it: an arena is less than a fifth, and less than a third, of all values side by side.
static_assert(5 * peak_memory<models::ResNet50, Shape<1, 3, 224, 224>> <
              4 * StaticPlan<models::ResNet50, Shape<1, 3, 224, 224>>::table.unplanned);
static_assert(3 * peak_memory<models::UNet<3, 2>, Shape<1, 3, 96, 80>> <
              4 * StaticPlan<models::UNet<3, 2>, Shape<1, 3, 96, 80>>::table.unplanned);

namespace {
/// Every result lies inside the arena, before the scratch.
template <class Table> bool places_fit(const Table& table) {
  for (const Step& step : table.steps) {
    if (step.out.source != Source::arena) continue;
    const idx items = item_count(step.out.dims);
    const idx end = step.out.offset + (items - 1) * step.out.item_stride + item_elements(step.out.dims, Layout::planar);
    if (step.out.offset < 0 || end > table.scratch_offset) return false;
  }
  return true;
}
}  // namespace

TEST_CASE("all results of steps lie in the arena, before the scratch") {
  CHECK(places_fit(StaticPlan<models::ResNet50, Shape<1, 3, 224, 224>>::table));
  CHECK(places_fit(StaticPlan<models::UNet<3, 2>, Shape<2, 3, 37, 53>>::table));
}
