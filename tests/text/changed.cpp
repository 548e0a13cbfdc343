#include "expected.hpp"
#include <lamina/compose/replace.hpp>
#include <lamina/layers/dropout.hpp>
#include <lamina/layers/softmax.hpp>
#include <lamina/models/resnet.hpp>

using namespace lamina;

namespace {
template <class Net> struct ExtraInput {
  Net net;
  ReLU relu;
  Dropout<> dropout;
  Linear<1001, 10> fc_add;
  Softmax<1> output;
};
template <class Net> struct ExtraOutput {
  Net net;
  ReLU relu;
  Dropout<> dropout;
  Linear<1000, 10> fc1;
  Softmax<1> output;
};
}  // namespace

TEST_CASE("a net with another head prints and names its children as PyTorch's") {
  check_text(
      "resnet50_new_head",
      replace<"fc">(models::ResNet50{},
                    Sequential<named<"fc1", Linear<2048, 128>>, named<"relu1", ReLU>, named<"dropout1", Dropout<>>,
                               named<"fc2", Linear<128, 10>>, named<"output", Softmax<1>>>{}));
}

TEST_CASE("models around a net print and name their children as PyTorch's") {
  check_text("resnet50_extra_input", ExtraInput<models::ResNet50>{});
  check_text("resnet50_extra_output", ExtraOutput<models::ResNet50>{});
}
