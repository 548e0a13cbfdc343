// expect: no module is at "layer5"; the children of ResNet are: conv1 bn1 relu maxpool layer1 layer2 layer3 layer4
// avgpool fc
#include <lamina/models/resnet.hpp>
#include <lamina/reflect/requires_grad.hpp>

using namespace lamina;

void freeze_layer(models::ResNet18& net) {
#ifdef CONTROL
  requires_grad_<"layer4">(net, false);
#else
  requires_grad_<"layer5.0">(net, false);
#endif
}
