// expect: only_output: "0.weight" is a parameter; modules have outputs
#include <lamina/compose/sequential.hpp>
#include <lamina/compose/with_output.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

auto features(Sequential<Linear<4, 4>, ReLU> net) {
#ifdef CONTROL
  return only_output<"0">(std::move(net));
#else
  return only_output<"0.weight">(std::move(net));
#endif
}
