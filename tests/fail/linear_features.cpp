// expect: Linear<128, 10>: the input has 256 features: [1, 256]
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Net {
#ifdef CONTROL
  Sequential<Linear<784, 256>, ReLU, Linear<256, 10>> layers;
#else
  Sequential<Linear<784, 256>, ReLU, Linear<128, 10>> layers;
#endif
  constexpr auto operator()(auto x) const { return layers(x); }
};
using Out = output_shape<Net, Shape<1, 784>>;
static_assert(Out::dims.rank > 0);
