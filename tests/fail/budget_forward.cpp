// expect: over budget by 44: multiply-accumulates are 124, the limit is 80; the most, 64, are in 0
// expect: over budget by 24: bytes of activations are 124, the limit is 100; the most, 64, are in 0
#include <lamina/compose/sequential.hpp>
#include <lamina/engine/fits.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

using Net = Sequential<Linear<4, 16>, Linear<16, 1>, Linear<1, 4>, Linear<4, 10>>;
#ifdef CONTROL
static_assert(fits<Net, budget{.macs = 124, .activations = 124}, Shape<1, 4>>);
#else
static_assert(fits<Net, budget{.macs = 80, .activations = 100}, Shape<1, 4>>);
#endif
