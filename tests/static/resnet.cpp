// torchvision's numbers of parameters and multiply-adds.
#include <lamina/engine/static_plan.hpp>
#include <lamina/meta/counts.hpp>
#include <lamina/models/resnet.hpp>
#include <lamina/reflect/keys.hpp>

using namespace lamina;
using namespace lamina::models;
using Picture = Shape<1, 3, 224, 224>;

static_assert(parameter_count<ResNet18> == 11'689'512);
static_assert(parameter_count<ResNet34> == 21'797'672);
static_assert(parameter_count<ResNet50> == 25'557'032);
static_assert(parameter_count<ResNet101> == 44'549'160);
static_assert(parameter_count<ResNet152> == 60'192'808);

static_assert(macs<ResNet18, Picture> == 1'814'073'344);
static_assert(macs<ResNet50, Picture> == 4'089'184'256);
static_assert(macs<ResNet152, Picture> == 11'513'626'624);

static_assert(state_dict_keys<ResNet18>.size() == 122);
static_assert(state_dict_keys<ResNet50>.size() == 320);
static_assert(state_dict_keys<ResNet152>.size() == 932);
static_assert(state_dict_keys<ResNet152>[0] == "conv1.weight");
static_assert(state_dict_keys<ResNet152>[5] == "bn1.num_batches_tracked");
static_assert(state_dict_keys<ResNet152>[931] == "fc.bias");

// The stem halves twice and every stage but the first once, rounded up.
static_assert(std::is_same_v<output_shape<ResNet50, Picture>, Shape<1, 1000>>);
static_assert(std::is_same_v<output_shape<ResNet18, Shape<dyn, 3, dyn, dyn>>, Shape<dyn, 1000>>);
static_assert(std::is_same_v<output_shape<BasicBlock<64, 128, 2>, Shape<1, 64, 45, 61>>, Shape<1, 128, 23, 31>>);
static_assert(std::is_same_v<output_shape<Bottleneck<64, 64>, Shape<1, 64, 7, 9>>, Shape<1, 256, 7, 9>>);

// The deepest one's plan is within the compilers' limits, and its memory is that of its largest layers, not of all.
static_assert(peak_memory<ResNet152, Picture> == peak_memory<ResNet50, Picture>);

// A shortcut only where the extents change.
static_assert(!BasicBlock<64, 64>::projects && BasicBlock<64, 64, 2>::projects && BasicBlock<64, 128>::projects);
static_assert(!Bottleneck<256, 64>::projects && Bottleneck<64, 64>::projects && Bottleneck<256, 64, 2>::projects);
