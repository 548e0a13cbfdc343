#include "expected.hpp"
#include <lamina/compose/edit.hpp>
#include <lamina/compose/module_dict.hpp>
#include <lamina/compose/module_list.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

TEST_CASE("containers print and name their children as PyTorch's") {
  check_text("sequential", Sequential<Linear<784, 256>, ReLU, Linear<256, 10>>{});
  check_text("sequential_named",
             Sequential<named<"fc1", Linear<784, 256>>, named<"relu1", ReLU>, named<"fc2", Linear<256, 10>>>{});
  check_text("module_list", append(ModuleList<Linear<784, 256>, ReLU>{}, Linear<256, 10>{}));
  using L = Linear<10, 10>;
  check_text("module_list_repeated", ModuleList<L, L, L, L, L, L, L, L, L, L>{});
  check_text("module_dict",
             append<"output">(ModuleDict<named<"linear", Linear<784, 256>>, named<"act", ReLU>>{}, Linear<256, 10>{}));
}
