// expect: append takes a layer, not int
#include <lamina/compose/edit.hpp>
#include <lamina/compose/module_list.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

auto longer(ModuleList<Linear<4, 4>> list) {
#ifdef CONTROL
  return append(std::move(list), Linear<4, 2>{});
#else
  return append(std::move(list), 2);
#endif
}
