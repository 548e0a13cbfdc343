// expect: over budget by 1557032: parameters are 25557032, the limit is 24000000; the most, 2359296, are in
// layer4.0.conv2
#include <lamina/engine/fits.hpp>
#include <lamina/models/resnet.hpp>

using namespace lamina;

#ifdef CONTROL
static_assert(fits<models::ResNet50, budget{.parameters = 25'557'032}>);
#else
static_assert(fits<models::ResNet50, budget{.parameters = 24'000'000}>);
#endif
