// expect: with_output takes the model as an rvalue: with_output<"name">(std::move(net))
#include <lamina/compose/sequential.hpp>
#include <lamina/compose/with_output.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

auto both(Sequential<Linear<4, 4>, ReLU> net) {
#ifdef CONTROL
  return with_output<"0">(std::move(net));
#else
  return with_output<"0">(net);
#endif
}
