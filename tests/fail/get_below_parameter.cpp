// expect: a parameter has no member "data"
#include <lamina/compose/access.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

auto* weight(Linear<4, 4>& fc) {
#ifdef CONTROL
  return &get<"weight">(fc);
#else
  return &get<"weight.data">(fc);
#endif
}
