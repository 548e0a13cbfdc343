// expect: lamina: GroupNorm: num_groups divides num_channels
#include <lamina/layers/group_norm.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Net {
#ifdef CONTROL
  GroupNorm<2, 8> norm;
#else
  GroupNorm<3, 8> norm;
#endif
  constexpr auto operator()(auto x) const { return norm(x); }
};
using Out = output_shape<Net, Shape<2, 8, 4>>;
static_assert(Out::dims.rank > 0);
