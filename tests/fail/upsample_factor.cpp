// expect: lamina: Upsample needs one of size and scale_factor
#include <lamina/layers/upsample.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Net {
#ifdef CONTROL
  Upsample<upsample{.size = 7, .mode = "bilinear"}> up;
#else
  Upsample<upsample{.mode = "bilinear"}> up;
#endif
  constexpr auto operator()(auto x) const { return up(x); }
};
using Out = output_shape<Net, Shape<1, 3, 8, 8>>;
static_assert(Out::dims.rank > 0);
