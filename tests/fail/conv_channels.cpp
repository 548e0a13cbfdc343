// expect: Conv2d<3, 8, ...>: the input has 4 channels: [1, 4, 32, 32]
#include <lamina/layers/conv2d.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Net {
#ifdef CONTROL
  Conv2d<4, 8, conv{.kernel_size = 3}> conv1;
#else
  Conv2d<3, 8, conv{.kernel_size = 3}> conv1;
#endif
  constexpr auto operator()(auto x) const { return conv1(x); }
};
using Out = output_shape<Net, Shape<1, 4, 32, 32>>;
static_assert(Out::dims.rank > 0);
