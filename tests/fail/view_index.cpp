// expect: index 2 is out of range; this view has 2 children
#include <lamina/compose/iterate.hpp>
#include <lamina/compose/module_list.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

auto* last(const ModuleList<Linear<4, 4>, Linear<4, 3>, Linear<3, 2>>& list) {
#ifdef CONTROL
  return &view<1>(list)[1_c];
#else
  return &view<1>(list)[2_c];
#endif
}
