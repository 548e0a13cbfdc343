// expect: a temporary Linear<4, 2> is called: give the layer a name, it owns its weights
#include <lamina/layers/linear.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Net {
  Linear<4, 2> fc;
  constexpr auto operator()(auto x) const {
#ifdef CONTROL
    return fc(x);
#else
    return Linear<4, 2>{}(x);
#endif
  }
};
using Out = output_shape<Net, Shape<1, 4>>;
static_assert(Out::dims.rank > 0);
