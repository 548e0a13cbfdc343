// expect: Conv2d<3, 8>: needs [N, C, H, W], the input is [1, 3072]
#include <lamina/layers/conv2d.hpp>
#include <lamina/layers/functional.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Net {
  Conv2d<3, 8> conv1;
  Linear<3072, 8> fc;
  constexpr auto operator()(auto x) const {
#ifdef CONTROL
    return fc(flatten<1>(x));
#else
    return conv1(flatten<1>(x));
#endif
  }
};
using Out = output_shape<Net, Shape<1, 3, 32, 32>>;
static_assert(Out::dims.rank > 0);
