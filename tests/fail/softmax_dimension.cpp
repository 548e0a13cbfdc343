// expect: dimension 2 is out of range for [2, 3]
#include <lamina/layers/softmax.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Net {
#ifdef CONTROL
  Softmax<1> output;
#else
  Softmax<2> output;
#endif
  constexpr auto operator()(auto x) const { return output(x); }
};
using Out = output_shape<Net, Shape<2, 3>>;
static_assert(Out::dims.rank > 0);
