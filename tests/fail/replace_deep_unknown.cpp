// expect: replace: no child is named "3"; the children are: 0 1 2
#include <lamina/compose/replace.hpp>
#include <lamina/models/resnet.hpp>

using namespace lamina;

auto changed(models::ResNet50 net) {
#ifdef CONTROL
  return replace<"layer4.2.conv3">(std::move(net), Conv2d<512, 2048, conv{.kernel_size = 1}>{});
#else
  return replace<"layer4.3.conv3">(std::move(net), Conv2d<512, 2048, conv{.kernel_size = 1}>{});
#endif
}
