// expect: BatchNorm2d<8>: needs [N, C, H, W], the input is [2, 8]
#include <lamina/layers/batch_norm.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Net {
#ifdef CONTROL
  BatchNorm1d<8> bn1;
#else
  BatchNorm2d<8> bn1;
#endif
  constexpr auto operator()(auto x) const { return bn1(x); }
};
using Out = output_shape<Net, Shape<2, 8>>;
static_assert(Out::dims.rank > 0);
