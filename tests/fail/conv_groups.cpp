// expect: lamina: Conv2d: groups divides the channels on both sides
#include <lamina/layers/conv2d.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Net {
#ifdef CONTROL
  Conv2d<4, 8, conv{.kernel_size = 3, .groups = 2}> conv1;
#else
  Conv2d<4, 8, conv{.kernel_size = 3, .groups = 3}> conv1;
#endif
  constexpr auto operator()(auto x) const { return conv1(x); }
};
using Out = output_shape<Net, Shape<1, 4, 8, 8>>;
static_assert(Out::dims.rank > 0);
