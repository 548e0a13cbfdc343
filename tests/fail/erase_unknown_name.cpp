// expect: no child is named "fc3"; the children are: fc1 fc2
#include <lamina/compose/edit.hpp>
#include <lamina/compose/module_dict.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

auto shorter(ModuleDict<named<"fc1", Linear<4, 4>>, named<"fc2", Linear<4, 2>>> dict) {
#ifdef CONTROL
  return erase<"fc2">(std::move(dict));
#else
  return erase<"fc3">(std::move(dict));
#endif
}
