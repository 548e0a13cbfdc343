// expect: padding is a number, a pair,
#include <lamina/layers/conv2d.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Net {
#ifdef CONTROL
  Conv2d<4, 8, conv{.kernel_size = 3, .padding = "valid"}> conv1;
#else
  Conv2d<4, 8, conv{.kernel_size = 3, .padding = "full"}> conv1;
#endif
  constexpr auto operator()(auto x) const { return conv1(x); }
};
using Out = output_shape<Net, Shape<1, 4, 8, 8>>;
static_assert(Out::dims.rank > 0);
