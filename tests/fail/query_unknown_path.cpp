// expect: no module is at "layer1.9.conv1"; the children of layer1 are: 0 1
#include <lamina/meta/counts.hpp>
#include <lamina/models/resnet.hpp>

using namespace lamina;

#ifdef CONTROL
static_assert(macs<models::ResNet18, Shape<1, 3, 64, 64>, at<"layer1.1.conv1">> > 0);
#else
static_assert(macs<models::ResNet18, Shape<1, 3, 64, 64>, at<"layer1.9.conv1">> > 0);
#endif
