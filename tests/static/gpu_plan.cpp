// Plans for GPUs: values are channels last between operations, and what cuDNN computes in one call is one graph.
#include <lamina.hpp>
#include <lamina/backend/cuda/backend.hpp>
#include <lamina/backend/cuda/lower.hpp>

using namespace lamina;

template <class Net, CompileOptions Options, class Input> constexpr int graphs() {
  constexpr auto& table = planning::PlanFor<gpu::Backend, Net, Options, Input>::table;
  int n = 0;
  for (const planning::Step& step : table.steps)
    n += step.operands > 0 && gpu::lower(step, table.operands[std::size_t(step.first_operand)], Options).possible;
  return n;
}
// ResNet-50: 53 convolutions with all that follows them, two poolings, the linear layer.
static_assert(graphs<models::ResNet50, CompileOptions{}, Shape<1, 3, 224, 224>>() == 56);
static_assert(graphs<models::ResNet50, CompileOptions{.precision = Precision::float16}, Shape<1, 3, 224, 224>>() == 56);

// Halves take half the arena's words.
template <Precision P>
constexpr idx arena = planning::PlanFor<gpu::Backend, models::UNet<3, 2>, CompileOptions{.precision = P},
                                        Shape<2, 3, 96, 80>>::table.memory.activations;
static_assert(2 * arena<Precision::float16> == arena<Precision::float32>);

// Between a convolution and a linear layer one copy changes the order of the elements and the extents, also where an
// alias stands between them; more are those of a planar input and, for halves, of the result.
using Flattened = Sequential<Conv2d<2, 8, conv{.kernel_size = 3}>, ReLU, Flatten<>, Dropout<>, Linear<8 * 3 * 3, 4>>;
template <Precision P>
constexpr std::size_t steps =
    planning::PlanFor<gpu::Backend, Flattened, CompileOptions{.precision = P}, Shape<2, 2, 5, 5>>::table.steps.size();
static_assert(steps<Precision::float32> == 4);
static_assert(steps<Precision::float16> == 5);
