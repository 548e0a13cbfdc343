// expect: lamina: a tensor has at most 6 dimensions
#include <lamina/core/shape.hpp>

using namespace lamina;

#ifdef CONTROL
static_assert(Shape<1, 2, 3, 4, 5, 6>::dims.rank == 6);
#else
static_assert(Shape<1, 2, 3, 4, 5, 6, 7>::dims.rank == 7);
#endif
