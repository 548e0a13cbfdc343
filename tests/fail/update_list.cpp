// expect: update takes two ModuleDicts; use extend for lists
#include <lamina/compose/edit.hpp>
#include <lamina/compose/join.hpp>
#include <lamina/compose/module_list.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

auto longer(ModuleList<Linear<4, 4>> list, ModuleList<Linear<4, 2>> other) {
#ifdef CONTROL
  return extend(std::move(list), std::move(other));
#else
  return update(std::move(list), std::move(other));
#endif
}
