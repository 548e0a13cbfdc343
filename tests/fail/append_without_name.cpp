// expect: append needs a name for a ModuleDict: append<"name">(std::move(dict), layer)
#include <lamina/compose/edit.hpp>
#include <lamina/compose/module_dict.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

auto longer(ModuleDict<named<"fc1", Linear<4, 4>>> dict) {
#ifdef CONTROL
  return append<"fc2">(std::move(dict), Linear<4, 2>{});
#else
  return append(std::move(dict), Linear<4, 2>{});
#endif
}
