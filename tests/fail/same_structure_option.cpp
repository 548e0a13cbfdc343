// expect: the structures differ: 0: Conv2d<3, 8, ...> and Conv2d<3, 8, ...> differ in an option: "2, 2, false}
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/conv2d.hpp>
#include <lamina/reflect/same_structure.hpp>

using namespace lamina;

template <int Stride> using Net = Sequential<Conv2d<3, 8, conv{.kernel_size = 3, .stride = Stride}>>;
#ifdef CONTROL
static_assert(same_structure<Net<2>, Net<2>>);
#else
static_assert(same_structure<Net<2>, Net<1>>);
#endif
