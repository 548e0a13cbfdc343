// expect: the step of a slice is not 0
#include <lamina/compose/module_list.hpp>
#include <lamina/compose/slice.hpp>
#include <lamina/layers/activations.hpp>

using namespace lamina;

auto shorter(ModuleList<ReLU, ReLU, Tanh> list) {
#ifdef CONTROL
  return slice<0, 3, 2>(std::move(list));
#else
  return slice<0, 3, 0>(std::move(list));
#endif
}
