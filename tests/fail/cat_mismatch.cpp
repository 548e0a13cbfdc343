// expect: cat<1>: [1, 3, 32, 32] and [1, 8, 16, 16] differ outside dimension 1
#include <lamina/layers/conv2d.hpp>
#include <lamina/layers/functional.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Net {
#ifdef CONTROL
  Conv2d<3, 8, conv{.kernel_size = 3, .padding = 1}> down;
#else
  Conv2d<3, 8, conv{.kernel_size = 3, .stride = 2, .padding = 1}> down;
#endif
  constexpr auto operator()(auto x) const { return cat<1>(x, down(x)); }
};
using Out = output_shape<Net, Shape<1, 3, 32, 32>>;
static_assert(Out::dims.rank > 0);
