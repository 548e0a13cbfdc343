// expect: no child is named "conv3"; the children are: conv1 conv2
#include <lamina/compose/access.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/conv2d.hpp>

using namespace lamina;

struct Net {
  Sequential<named<"conv1", Conv2d<3, 8>>, named<"conv2", Conv2d<8, 8>>> layers;
  constexpr auto operator()(auto x) const { return layers(x); }
};

auto* child(Net& net) {
#ifdef CONTROL
  return &get<"layers.conv2">(net);
#else
  return &get<"layers.conv3">(net);
#endif
}
