// expect: two children are named "fc1"
#include <lamina/compose/edit.hpp>
#include <lamina/compose/module_dict.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

auto longer(ModuleDict<named<"fc1", Linear<4, 4>>> dict) {
#ifdef CONTROL
  return assign<"fc1">(std::move(dict), Linear<4, 2>{});
#else
  return append<"fc1">(std::move(dict), Linear<4, 2>{});
#endif
}
