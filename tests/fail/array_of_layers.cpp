// expect: lamina: an array has no names for the layers in it: hold them in a ModuleList
#include <array>
#include <lamina/compose/module_list.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/reflect/keys.hpp>

using namespace lamina;

struct Net {
#ifdef CONTROL
  ModuleList<Linear<4, 4>, Linear<4, 4>> layers;
#else
  std::array<Linear<4, 4>, 2> layers;
#endif
};
static_assert(state_dict_keys<Net>.size() == 4);
