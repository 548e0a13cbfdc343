// expect: slice<1, 4> is out of range; this container has 3 children
#include <lamina/compose/module_list.hpp>
#include <lamina/compose/slice.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

auto shorter(ModuleList<Linear<4, 4>, ReLU, Linear<4, 2>> list) {
#ifdef CONTROL
  return slice<1, 3>(std::move(list));
#else
  return slice<1, 4>(std::move(list));
#endif
}
