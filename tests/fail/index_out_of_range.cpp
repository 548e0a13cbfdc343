// expect: index 2 is out of range; this container has 2 children
#include <lamina/compose/module_list.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

using Layers = ModuleList<Linear<8, 4>, Linear<4, 2>>;
auto& child(Layers& layers) {
#ifdef CONTROL
  return layers[1_c];
#else
  return layers[2_c];
#endif
}
