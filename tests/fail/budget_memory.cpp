// expect: bytes of peak memory are
// expect: the limit is 65536; the most, 262144, are in conv2
#include <lamina/compose/sequential.hpp>
#include <lamina/engine/fits.hpp>
#include <lamina/layers/conv2d.hpp>

using namespace lamina;

// 64 channels of 32 x 32 floats are 262144 bytes.
using Net = Sequential<named<"conv1", Conv2d<16, 16>>, named<"conv2", Conv2d<16, 64>>, named<"conv3", Conv2d<64, 4>>>;
#ifdef CONTROL
static_assert(fits<Net, budget{.memory = 16_MiB}, Shape<1, 16, 32, 32>>);
#else
static_assert(fits<Net, budget{.memory = 64_KiB}, Shape<1, 16, 32, 32>>);
#endif
