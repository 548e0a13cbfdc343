// U-Nets give one logit a class and pixel, whatever the size.
#include <lamina/meta/counts.hpp>
#include <lamina/models/unet.hpp>
#include <lamina/reflect/keys.hpp>

using namespace lamina;
using namespace lamina::models;

static_assert(std::is_same_v<output_shape<UNet<3, 2>, Shape<1, 3, 96, 80>>, Shape<1, 2, 96, 80>>);
static_assert(std::is_same_v<output_shape<UNet<3, 2>, Shape<1, 3, 37, 53>>, Shape<1, 2, 37, 53>>);
static_assert(std::is_same_v<output_shape<UNet<3, 2, false>, Shape<1, 3, 100, 75>>, Shape<1, 2, 100, 75>>);
static_assert(std::is_same_v<output_shape<UNet<1, 1, false, 4>, Shape<2, 1, 16, 31>>, Shape<2, 1, 16, 31>>);
static_assert(std::is_same_v<output_shape<UNet<3, 2>, Shape<dyn, 3, dyn, dyn>>, Shape<dyn, 2, dyn, dyn>>);

static_assert(std::is_same_v<output_shape<DoubleConv<3, 8>, Shape<1, 3, 5, 7>>, Shape<1, 8, 5, 7>>);
static_assert(std::is_same_v<output_shape<Down<8, 16>, Shape<1, 8, 5, 7>>, Shape<1, 16, 2, 3>>);
static_assert(std::is_same_v<output_shape<Up<16, 4>, Shape<1, 8, 2, 3>, Shape<1, 8, 5, 7>>, Shape<1, 4, 5, 7>>);
static_assert(std::is_same_v<output_shape<Up<16, 8, false>, Shape<1, 16, 2, 3>, Shape<1, 8, 5, 7>>, Shape<1, 8, 5, 7>>);

// 3x3 convolutions 1 -> 4 -> 4 on 16x16 pixels: 16 * 16 * (1 * 4 + 4 * 4) * 9.
static_assert(macs<DoubleConv<1, 4>, Shape<1, 1, 16, 16>> == 16 * 16 * 20 * 9);
static_assert(parameter_count<DoubleConv<1, 4>> == 20 * 9 + 2 * (4 + 4));

// tests/text has the names; these are PyTorch's numbers.
static_assert(parameter_count<UNet<3, 1>> == 17'262'977);
static_assert(parameter_count<UNet<3, 1, false>> == 31'037'633);
static_assert(state_dict_keys<UNet<3, 1>>.size() == 110);
static_assert(state_dict_keys<UNet<3, 1, false>>.size() == 118);
