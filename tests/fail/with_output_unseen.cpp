// expect: nothing shows what "down1", a Down, returns: it is not called, or called by a class that is no Sequential;
// ask for a layer in it: maxpool_conv
#include <lamina/compose/with_output.hpp>
#include <lamina/meta/counts.hpp>
#include <lamina/models/unet.hpp>

using namespace lamina;

#ifdef CONTROL
using Net = WithOutput<models::UNet<3, 2, true, 4>, "down1.maxpool_conv">;
#else
using Net = WithOutput<models::UNet<3, 2, true, 4>, "down1">;
#endif
constexpr idx cost = macs<Net, Shape<1, 3, 16, 16>>;
