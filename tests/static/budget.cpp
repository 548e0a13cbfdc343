// Budgets of a ResNet-50, and what a model may not cost.
#include <lamina/engine/fits.hpp>
#include <lamina/models/resnet.hpp>
#include <lamina/models/unet.hpp>

using namespace lamina;
using namespace lamina::models;

static_assert(
    fits<ResNet50, budget{.parameters = 26'000'000, .macs = 4'100'000'000, .memory = 16_MiB}, Shape<1, 3, 224, 224>>);

// A limit that is just reached is kept; no limit is none.
static_assert(fits<Linear<4, 2>, budget{.parameters = 10, .macs = 24, .activations = 24}, Shape<3, 4>>);
static_assert(fits<Linear<4, 2>, budget{.parameters = 10}>);
static_assert(fits<Linear<4, 2>, budget{}, Shape<3, 4>>);
static_assert(fits<UNet<3, 2>,
                   budget{.memory = peak_memory<UNet<3, 2>, Shape<1, 3, 96, 80>>,
                          .weights = packed_bytes<UNet<3, 2>, Shape<1, 3, 96, 80>>},
                   Shape<1, 3, 96, 80>>);
