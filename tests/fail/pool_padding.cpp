// expect: padding is more than half of the kernel
#include <lamina/layers/pooling.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Net {
#ifdef CONTROL
  MaxPool2d<max_pool{.kernel_size = 3, .padding = 1}> pool;
#else
  MaxPool2d<max_pool{.kernel_size = 3, .padding = 2}> pool;
#endif
  constexpr auto operator()(auto x) const { return pool(x); }
};
using Out = output_shape<Net, Shape<1, 3, 8, 8>>;
static_assert(Out::dims.rank > 0);
