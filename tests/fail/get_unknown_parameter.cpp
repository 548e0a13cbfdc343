// expect: no child is named "wieght"; the children are:; its parameters and buffers are: weight bias
#include <lamina/compose/access.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

auto* weight(Sequential<named<"fc", Linear<4, 4>>>& net) {
#ifdef CONTROL
  return &get<"fc.weight">(net);
#else
  return &get<"fc.wieght">(net);
#endif
}
