// expect: erase<0, 5> is out of range; this container has 3 children
#include <lamina/compose/module_list.hpp>
#include <lamina/compose/slice.hpp>
#include <lamina/layers/activations.hpp>

using namespace lamina;

auto shorter(ModuleList<ReLU, ReLU, Tanh> list) {
#ifdef CONTROL
  return erase<0, 3, 2>(std::move(list));
#else
  return erase<0, 5, 2>(std::move(list));
#endif
}
