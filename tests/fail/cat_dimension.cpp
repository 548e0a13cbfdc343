// expect: cat: dimension 4 is out of range for [1, 3, 32, 32]
#include <lamina/layers/functional.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Net {

  constexpr auto operator()(auto x) const {
#ifdef CONTROL
    return cat<3>(x, x);
#else
    return cat<4>(x, x);
#endif
  }
};
using Out = output_shape<Net, Shape<1, 3, 32, 32>>;
static_assert(Out::dims.rank > 0);
