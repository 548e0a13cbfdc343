#include "full_size.hpp"
#include <catch2/catch_test_macros.hpp>

using namespace lamina;
using Bilinear = models::UNet<3, 2>;
using Transposed = models::UNet<3, 2, false>;
using Even = Shape<1, 3, 96, 80>;
using Odd = Shape<1, 3, 100, 75>;

TEST_CASE("full_size/unet_3_2_bilinear_96x80/eager") {
  full_size::check_eager<Bilinear, Even>("unet_3_2_bilinear_96x80");
}
TEST_CASE("full_size/unet_3_2_bilinear_96x80/planned") {
  full_size::check_planned<Bilinear, Even>("unet_3_2_bilinear_96x80");
}
TEST_CASE("full_size/unet_3_2_transposed_100x75/eager") {
  full_size::check_eager<Transposed, Odd>("unet_3_2_transposed_100x75");
}
TEST_CASE("full_size/unet_3_2_transposed_100x75/planned") {
  full_size::check_planned<Transposed, Odd>("unet_3_2_transposed_100x75");
}
TEST_CASE("full_size/unet_3_2_bilinear_96x80/bfloat16") {
  full_size::check_bfloat16<Bilinear, Even>("unet_3_2_bilinear_96x80");
}
TEST_CASE("full_size/unet_3_2_transposed_100x75/bfloat16") {
  full_size::check_bfloat16<Transposed, Odd>("unet_3_2_transposed_100x75");
}
