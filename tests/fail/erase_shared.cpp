// expect: child "2" is child "0" again: erase it before that one
#include <lamina/compose/edit.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

auto shorter(Sequential<Linear<4, 4>, ReLU, shared<"0">> net) {
#ifdef CONTROL
  return erase<2>(std::move(net));
#else
  return erase<0>(std::move(net));
#endif
}
