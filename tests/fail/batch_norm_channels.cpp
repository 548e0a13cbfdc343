// expect: BatchNorm2d<16>: the input has 8 channels: [1, 8, 32, 32]
#include <lamina/layers/batch_norm.hpp>
#include <lamina/layers/conv2d.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Net {
  Conv2d<3, 8, conv{.kernel_size = 3, .padding = 1}> conv1;
#ifdef CONTROL
  BatchNorm2d<8> bn1;
#else
  BatchNorm2d<16> bn1;
#endif
  constexpr auto operator()(auto x) const { return bn1(conv1(x)); }
};
using Out = output_shape<Net, Shape<1, 3, 32, 32>>;
static_assert(Out::dims.rank > 0);
