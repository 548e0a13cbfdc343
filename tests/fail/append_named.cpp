// expect: append takes the layer itself, and its name before: append<"fc2">(...)
#include <lamina/compose/edit.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

auto longer(Sequential<named<"fc1", Linear<4, 4>>> net) {
#ifdef CONTROL
  return append<"fc2">(std::move(net), Linear<4, 2>{});
#else
  return append(std::move(net), named<"fc2", Linear<4, 2>>{});
#endif
}
