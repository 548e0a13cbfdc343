// expect: no child is named "7"; the children are: linear act
#include <lamina/compose/edit.hpp>
#include <lamina/compose/module_dict.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

auto rest(ModuleDict<named<"linear", Linear<4, 4>>, named<"act", ReLU>> dict) {
#ifdef CONTROL
  return pop<"act">(std::move(dict));
#else
  return pop<"7">(std::move(dict));
#endif
}
