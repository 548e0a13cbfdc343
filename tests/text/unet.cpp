#include "expected.hpp"
#include <lamina/models/unet.hpp>

using lamina::models::UNet;

TEST_CASE("U-Nets print and name their children as PyTorch's") {
  check_text("unet_3_1_bilinear", UNet<3, 1>{});
  check_text("unet_3_1_transposed", UNet<3, 1, false>{});
}
