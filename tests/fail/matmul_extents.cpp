// expect: matmul: [2, 3] and [2, 3] differ in the dimension that is summed over
#include <lamina/layers/functional.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Net {

  constexpr auto operator()(auto x) const {
#ifdef CONTROL
    return matmul(x, reshape<3, 2>(x));
#else
    return matmul(x, x);
#endif
  }
};
using Out = output_shape<Net, Shape<2, 3>>;
static_assert(Out::dims.rank > 0);
