// expect: lamina: an empty Sequential has no forward
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Net {
#ifdef CONTROL
  Sequential<ReLU> layers;
#else
  Sequential<> layers;
#endif
  constexpr auto operator()(auto x) const { return layers(x); }
};
using Out = output_shape<Net, Shape<1, 4>>;
static_assert(Out::dims.rank > 0);
