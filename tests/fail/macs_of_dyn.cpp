// expect: macs needs static extents, not [dyn, 4]
#include <lamina/layers/linear.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

#ifdef CONTROL
static_assert(macs<Linear<4, 2>, Shape<3, 4>> == 24);
#else
static_assert(macs<Linear<4, 2>, Shape<dyn, 4>> == 24);
#endif
