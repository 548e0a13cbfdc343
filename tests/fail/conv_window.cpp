// expect: the window 5 x 5 is larger than the padded input [1, 3, 4, 4]
#include <lamina/layers/conv2d.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Net {
#ifdef CONTROL
  Conv2d<3, 8, conv{.kernel_size = 5, .padding = 1}> conv1;
#else
  Conv2d<3, 8, conv{.kernel_size = 5}> conv1;
#endif
  constexpr auto operator()(auto x) const { return conv1(x); }
};
using Out = output_shape<Net, Shape<1, 3, 4, 4>>;
static_assert(Out::dims.rank > 0);
