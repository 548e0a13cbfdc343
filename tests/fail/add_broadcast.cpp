// expect: add: [2, 3] and [2, 4] do not broadcast
#include <lamina/layers/functional.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Net {
  Linear<3, 4> fc;
  constexpr auto operator()(auto x) const {
#ifdef CONTROL
    return fc(x) + fc(x);
#else
    return x + fc(x);
#endif
  }
};
using Out = output_shape<Net, Shape<2, 3>>;
static_assert(Out::dims.rank > 0);
