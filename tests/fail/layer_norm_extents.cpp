// expect: the input [2, 8] does not end in [7]
#include <lamina/layers/layer_norm.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Net {
#ifdef CONTROL
  LayerNorm<Shape<8>> norm;
#else
  LayerNorm<Shape<7>> norm;
#endif
  constexpr auto operator()(auto x) const { return norm(x); }
};
using Out = output_shape<Net, Shape<2, 8>>;
static_assert(Out::dims.rank > 0);
