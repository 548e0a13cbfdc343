// expect: the structures differ: fc: Linear<8, 2
// expect: and Linear<8, 3
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/reflect/same_structure.hpp>

using namespace lamina;

template <int Classes> using Net = Sequential<named<"body", Linear<8, 8>>, named<"fc", Linear<8, Classes>>>;
#ifdef CONTROL
static_assert(same_structure<Net<2>, Net<2>>);
#else
static_assert(same_structure<Net<2>, Net<3>>);
#endif
