// expect: index -3 is out of range; this container has 2 children
#include <lamina/compose/edit.hpp>
#include <lamina/compose/module_list.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

auto shorter(ModuleList<Linear<4, 4>, Linear<4, 2>> list) {
#ifdef CONTROL
  return pop<-2>(std::move(list));
#else
  return pop<-3>(std::move(list));
#endif
}
