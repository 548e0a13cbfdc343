// Models that examples/from_pytorch.py wrote print, name and compute as PyTorch's. The headers assert shapes and counts.
#include "corners.hpp"
#include "full_size/full_size.hpp"
#include "resnet18.hpp"
#include "small_vgg.hpp"
#include "text/expected.hpp"
#include "unet.hpp"
#include "vgg16_bn.hpp"

using lamina::Shape;

TEST_CASE("generated models print and name their children as PyTorch's") {
  check_text("resnet18", resnet18::ResNet{});
  check_text("../from_pytorch/vgg16_bn", vgg16_bn::VGG{});
  check_text("../from_pytorch/unet", unet::UNet{});
  check_text("../from_pytorch/small_vgg", small_vgg::VGG{});
  check_text("../from_pytorch/corners", corners::Corners{});
}

TEST_CASE("generated models compute PyTorch's numbers") {
  full_size::check_eager<resnet18::ResNet, Shape<1, 3, 224, 224>>("resnet18_224");
  full_size::check_eager<unet::UNet, Shape<1, 3, 96, 80>>("unet_3_2_bilinear_96x80");
  full_size::check_eager<small_vgg::VGG, Shape<2, 3, 13, 9>>("../from_pytorch/small_vgg");
  full_size::check_planned<small_vgg::VGG, Shape<2, 3, 13, 9>>("../from_pytorch/small_vgg");
  full_size::check_eager<corners::Corners, Shape<2, 3, 9, 7>>("../from_pytorch/corners");
  full_size::check_planned<corners::Corners, Shape<2, 3, 9, 7>>("../from_pytorch/corners");
}
