// expect: dimensions 2 to 1 are no range of [2, 3, 4]
#include <lamina/layers/functional.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Net {

  constexpr auto operator()(auto x) const {
#ifdef CONTROL
    return flatten<1, 2>(x);
#else
    return flatten<2, 1>(x);
#endif
  }
};
using Out = output_shape<Net, Shape<2, 3, 4>>;
static_assert(Out::dims.rank > 0);
