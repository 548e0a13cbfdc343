// expect: index 2 is out of range; this container has 2 children
#include <lamina/compose/module_list.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

using List = ModuleList<Linear<8, 4>, Linear<4, 2>>;
auto& child(List& list) {
#ifdef CONTROL
  return list[1_c];
#else
  return list[2_c];
#endif
}
