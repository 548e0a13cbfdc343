// expect: adapt takes the weights out of the model: adapt<Other>(std::move(net))
#include <lamina/compose/adapt.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

auto other(Sequential<Linear<4, 4>> net) {
  using Other = Sequential<Linear<4, 4>, Linear<4, 2>>;
#ifdef CONTROL
  return adapt<Other>(std::move(net));
#else
  return adapt<Other>(net);
#endif
}
