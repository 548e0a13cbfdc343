// What can be asked of a model and its parts. Numbers of torchvision's ResNets and of the U-Net were made with PyTorch
// 2.15: numel of parameters, torch.utils.flop_counter, and the extent of the gradients of one output with respect to
// the input, where all weights are positive and norms and activations are left out.
#include <lamina/compose/replace.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/flatten.hpp>
#include <lamina/layers/layer_norm.hpp>
#include <lamina/meta/counts.hpp>
#include <lamina/models/resnet.hpp>
#include <lamina/models/unet.hpp>
#include <lamina/reflect/keys.hpp>
#include <lamina/reflect/same_structure.hpp>

using namespace lamina;
using namespace lamina::models;
using Picture = Shape<1, 3, 224, 224>;

// ---- shapes and costs of parts
static_assert(std::is_same_v<output_shape<ResNet50, Picture, at<"layer3.1">>, Shape<1, 1024, 14, 14>>);
static_assert(std::is_same_v<output_shape<ResNet50, Picture, at<"layer3.1.conv2">>, Shape<1, 256, 14, 14>>);
static_assert(std::is_same_v<output_shape<ResNet50, Shape<dyn, 3, 224, dyn>, at<"layer4">>, Shape<dyn, 2048, 7, dyn>>);
static_assert(std::is_same_v<output_shape<UNet<3, 2>, Shape<1, 3, 37, 53>, at<"up1">>, Shape<1, 256, 4, 6>>);
static_assert(parameter_count<ResNet50, at<"layer4">> == 14'964'736);
static_assert(parameter_count<ResNet152, at<"layer3">> == 40'613'888);
static_assert(parameter_count<ResNet50, at<"">> == parameter_count<ResNet50>);
static_assert(flops<ResNet18, Picture> == 3'628'146'688);
static_assert(flops<ResNet34, Picture> == 7'327'522'816);
static_assert(flops<ResNet50, Picture> == 8'178'368'512);
static_assert(flops<ResNet152, Picture, at<"layer3">> == 16'030'629'888);
static_assert(macs<ResNet50, Picture, at<"layer2">> == 2'055'208'960 / 2);
static_assert(macs<ResNet50, Picture, at<"layer2">> == 372'506'624 + 3 * macs<ResNet50, Picture, at<"layer2.1">>);

// Trained parameters when some are frozen: modules, single parameters, and both.
static_assert(trainable_parameter_count<ResNet50> == parameter_count<ResNet50>);
static_assert(trainable_parameter_count<ResNet50, frozen<"layer4", "fc.bias">> == 10'591'296);
static_assert(trainable_parameter_count<ResNet18, frozen<"layer4", "fc.bias">> == 3'294'784);
static_assert(trainable_parameter_count<ResNet152, frozen<"layer4", "layer4.0", "fc.bias">> == 45'227'072);

// A block whose last layer is followed by a function: the shape is certain, since + keeps it.
struct Residual {
  Conv2d<4, 4, conv{.kernel_size = 3, .padding = 1}> conv1;
  constexpr auto operator()(auto x) const { return conv1(x) + x; }
};
struct Net {
  Residual block;
  Flatten<> flat;
  Linear<64, 3> fc;
  constexpr auto operator()(auto x) const { return fc(flat(block(x))); }
};
using Small = Shape<2, 4, 4, 4>;
static_assert(std::is_same_v<output_shape<Net, Small, at<"block">>, Shape<2, 4, 4, 4>>);
// conv1, the sum, and fc make 2 * 64, 2 * 64 and 2 * 3 numbers; flat is a view.
static_assert(activation_bytes<Net, Small> == 4 * (128 + 128 + 6));
static_assert(activation_bytes<Net, Small, at<"fc">> == 4 * 6 && activation_bytes<Net, Small, at<"flat">> == 0);
static_assert(macs<Net, Small, at<"block">> == 2 * 16 * 4 * 4 * 9);

// ---- depth: the longest way
static_assert(depth<ResNet18, Picture> == 18 && depth<ResNet34, Picture> == 34);
static_assert(depth<ResNet50, Picture> == 50 && depth<ResNet152, Picture> == 152);
static_assert(depth<ResNet50, Picture, at<"layer1">> == 1 + 3 * 3);
// Nine double convolutions and the last one; transposed convolutions are weight layers.
static_assert(depth<UNet<3, 2>, Shape<1, 3, 64, 64>> == 19 && depth<UNet<3, 2, false>, Shape<1, 3, 64, 64>> == 23);

// ---- receptive fields
// 1 + sum of (kernel - 1) * strides before: 1 + 2 + 2 * 2 + 4 * 4 (kernel 5) = 23; height and width apart.
using Chain = Sequential<Conv2d<1, 1, conv{.kernel_size = {3, 1}, .stride = 2}>,
                         Conv2d<1, 1, conv{.kernel_size = 3, .stride = {2, 1}}>,
                         Conv2d<1, 1, conv{.kernel_size = 5, .dilation = {1, 2}}>>;
static_assert(receptive_field<Chain, Shape<1, 1, 90, 90>> ==
              ReceptiveField{1 + 2 + 2 * 2 + 4 * 4, 1 + 0 + 2 * 2 + 2 * 8});
static_assert(receptive_field<Chain, Shape<1, 1, 90, 90>, at<"0">> == ReceptiveField{3, 1});
static_assert(receptive_field<Chain, Shape<1, 90, 90>> == receptive_field<Chain, Shape<1, 1, 90, 90>>);
static_assert(receptive_field<ResNet18, Picture, at<"layer4">> == ReceptiveField{435, 435});
static_assert(receptive_field<ResNet34, Picture, at<"layer4">> == ReceptiveField{899, 899});
static_assert(receptive_field<ResNet50, Picture, at<"layer4">> == ReceptiveField{427, 427});
// The average of 7 x 7 elements 32 pixels apart.
static_assert(receptive_field<ResNet50, Picture> == ReceptiveField{427 + 6 * 32, 427 + 6 * 32});
// Normalising over an image sees all of it.
static_assert(receptive_field<Sequential<LayerNorm<Shape<8>>>, Shape<1, 1, 8, 8>> == ReceptiveField{1, 8});

// ---- structures
struct Own {
  Conv2d<3, 64, conv{.kernel_size = 7, .stride = 2, .padding = 3, .bias = false}> conv1;
  BatchNorm2d<64> bn1;
};
struct Same {
  Conv2d<3, 64, conv{.kernel_size = 7, .stride = 2, .padding = 3, .bias = false}> conv1;
  BatchNorm2d<64> bn1;
};
struct OtherName {
  Conv2d<3, 64, conv{.kernel_size = 7, .stride = 2, .padding = 3, .bias = false}> conv1;
  BatchNorm2d<64> bn2;
};
struct WithScale {
  Conv2d<3, 64, conv{.kernel_size = 7, .stride = 2, .padding = 3, .bias = false}> conv1;
  BatchNorm2d<64> bn1;
  Parameter<Shape<64>> scale;
};
static_assert(same_structure<Own, Same>);
static_assert(structure_difference<Own, OtherName>.view() == "the first has bn1 where the second has bn2");
static_assert(structure_difference<Own, WithScale>.view() == "only the second has scale");
static_assert(structure_difference<ResNet50, ResNet101>.view() == "only the second has layer3.6");
using ResNet50For10 = decltype(replace<"fc">(ResNet50{}, Linear<2048, 10>{}));
static_assert(structure_difference<ResNet50, ResNet50For10>.view().starts_with("fc: Linear<2048, 1000"));
static_assert(structure_difference<Sequential<ReLU>, Sequential<Sequential<ReLU>>>.view() ==
              "0: BasicReLU<...> and Sequential<...>");
