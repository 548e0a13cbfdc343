// expect: lamina: ConvTranspose2d: output_padding is smaller than stride or dilation
#include <lamina/layers/conv_transpose2d.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Net {
#ifdef CONTROL
  ConvTranspose2d<4, 8, conv_transpose{.kernel_size = 2, .stride = 2, .output_padding = 1}> up;
#else
  ConvTranspose2d<4, 8, conv_transpose{.kernel_size = 2, .stride = 2, .output_padding = 2}> up;
#endif
  constexpr auto operator()(auto x) const { return up(x); }
};
using Out = output_shape<Net, Shape<1, 4, 8, 8>>;
static_assert(Out::dims.rank > 0);
