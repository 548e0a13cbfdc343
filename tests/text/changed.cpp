#include "../../examples/around_a_net.hpp"
#include "expected.hpp"
#include <lamina/compose/replace.hpp>
#include <lamina/models/resnet.hpp>

using namespace lamina;

TEST_CASE("a net with another head prints and names its children as PyTorch's") {
  check_text("resnet50_new_head", replace<"fc">(models::ResNet50{}, Head{}));
}

TEST_CASE("models around a net print and name their children as PyTorch's") {
  check_text("resnet50_extra_input", ExtraInput<models::ResNet50>{});
  check_text("resnet50_extra_output", ExtraOutput<models::ResNet50>{});
}
