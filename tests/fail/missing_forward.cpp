// expect: has no forward: give it a constexpr auto operator()(auto x) const
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Block {
  Linear<8, 8> fc;
#ifdef CONTROL
  constexpr auto operator()(auto x) const { return fc(x); }
#endif
};
struct Net {
  Sequential<Linear<4, 8>, Block> layers;
  constexpr auto operator()(auto x) const { return layers(x); }
};
using Out = output_shape<Net, Shape<1, 4>>;
static_assert(Out::dims.rank > 0);
