// expect: reshape: [2, 3] does not fit into [4, dyn]
#include <lamina/layers/functional.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Net {

  constexpr auto operator()(auto x) const {
#ifdef CONTROL
    return reshape<3, -1>(x);
#else
    return reshape<4, -1>(x);
#endif
  }
};
using Out = output_shape<Net, Shape<2, 3>>;
static_assert(Out::dims.rank > 0);
