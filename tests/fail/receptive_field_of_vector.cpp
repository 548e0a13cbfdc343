// expect: receptive_field needs an image, [N, C, H, W] or [C, H, W]; the input is [1, 4]
#include <lamina/layers/linear.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

#ifdef CONTROL
static_assert(receptive_field<Linear<4, 2>, Shape<1, 1, 4, 4>> == ReceptiveField{1, 4});
#else
static_assert(receptive_field<Linear<4, 2>, Shape<1, 4>> == ReceptiveField{1, 4});
#endif
