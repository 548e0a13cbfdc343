// expect: insert: index 3 is out of range; this container has 2 children
#include <lamina/compose/edit.hpp>
#include <lamina/compose/module_list.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

auto longer(ModuleList<Linear<4, 4>, ReLU> list) {
#ifdef CONTROL
  return insert<2>(std::move(list), Linear<4, 2>{});
#else
  return insert<3>(std::move(list), Linear<4, 2>{});
#endif
}
