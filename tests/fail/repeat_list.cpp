// expect: ModuleList is not repeated: only a Sequential calls its children in order
#include <lamina/compose/join.hpp>
#include <lamina/compose/module_list.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

#ifdef CONTROL
auto deep(const Sequential<Linear<4, 4>>& list)
#else
auto deep(const ModuleList<Linear<4, 4>>& list)
#endif
{
  return list * 3_c;
}
