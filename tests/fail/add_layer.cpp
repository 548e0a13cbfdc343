// expect: extend takes a container, not Linear<4, 2>: append takes layers
#include <lamina/compose/join.hpp>
#include <lamina/compose/module_list.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

auto longer(const ModuleList<Linear<4, 4>>& list) {
#ifdef CONTROL
  return list + ModuleList<Linear<4, 2>>{};
#else
  return list + Linear<4, 2>{};
#endif
}
