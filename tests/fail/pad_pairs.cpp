// expect: lamina: pad takes pairs: before and after for each dimension, the last dimension first
#include <lamina/layers/functional.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Net {

  constexpr auto operator()(auto x) const {
#ifdef CONTROL
    return pad<1, 2, 3, 4>(x);
#else
    return pad<1, 2, 3>(x);
#endif
  }
};
using Out = output_shape<Net, Shape<1, 3, 8, 8>>;
static_assert(Out::dims.rank > 0);
