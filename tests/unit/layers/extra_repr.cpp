// Texts that PyTorch printed for the options of each layer (tests/golden has more of them).
#include <catch2/catch_test_macros.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/batch_norm.hpp>
#include <lamina/layers/conv_transpose2d.hpp>
#include <lamina/layers/dropout.hpp>
#include <lamina/layers/flatten.hpp>
#include <lamina/layers/group_norm.hpp>
#include <lamina/layers/layer_norm.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/layers/losses.hpp>
#include <lamina/layers/pooling.hpp>
#include <lamina/layers/softmax.hpp>
#include <lamina/layers/upsample.hpp>
#include <lamina/reflect/print.hpp>

using namespace lamina;

TEST_CASE("convolutions and linear layers print their options") {
  CHECK(to_string(Linear<3, 4>{}) == "Linear(in_features=3, out_features=4, bias=True)");
  CHECK(to_string(Linear<3, 4, false>{}) == "Linear(in_features=3, out_features=4, bias=False)");
  CHECK(to_string(Conv2d<3, 8, conv{.kernel_size = 3}>{}) == "Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1))");
  CHECK(
      to_string(
          Conv2d<
              3, 8,
              conv{.kernel_size = {3, 5}, .stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}, .bias = false}>{}) ==
      "Conv2d(3, 8, kernel_size=(3, 5), stride=(2, 1), padding=(1, 2), dilation=(1, 2), bias=False)");
  CHECK(to_string(Conv2d<4, 8, conv{.kernel_size = 3, .padding = "same", .groups = 2}>{}) ==
        "Conv2d(4, 8, kernel_size=(3, 3), stride=(1, 1), padding=same, groups=2)");
  CHECK(to_string(Conv2d<4, 8, conv{.kernel_size = 3, .padding = "valid"}>{}) ==
        "Conv2d(4, 8, kernel_size=(3, 3), stride=(1, 1), padding=valid)");
  CHECK(to_string(ConvTranspose2d<8, 4, conv_transpose{.kernel_size = 2, .stride = 2}>{}) ==
        "ConvTranspose2d(8, 4, kernel_size=(2, 2), stride=(2, 2))");
  CHECK(to_string(ConvTranspose2d<8, 4,
                                  conv_transpose{.kernel_size = 3,
                                                 .stride = 2,
                                                 .padding = 1,
                                                 .output_padding = 1,
                                                 .groups = 2,
                                                 .bias = false,
                                                 .dilation = 2}>{}) ==
        "ConvTranspose2d(8, 4, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), dilation=(2, 2), output_padding=(1, "
        "1), groups=2, bias=False)");
}

TEST_CASE("normalisations print their options") {
  CHECK(to_string(BatchNorm2d<8>{}) ==
        "BatchNorm2d(8, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)");
  CHECK(
      to_string(
          BatchNorm2d<8, batch_norm{.eps = 1e-3, .momentum = none, .affine = false, .track_running_stats = false}>{}) ==
      "BatchNorm2d(8, eps=0.001, momentum=None, affine=False, track_running_stats=False)");
  CHECK(to_string(BatchNorm1d<3, batch_norm{.eps = 1e-12, .momentum = 0.01}>{}) ==
        "BatchNorm1d(3, eps=1e-12, momentum=0.01, affine=True, track_running_stats=True)");
  CHECK(to_string(LayerNorm<Shape<8>>{}) == "LayerNorm((8,), eps=1e-05, elementwise_affine=True, bias=True)");
  CHECK(to_string(LayerNorm<Shape<3, 4>, layer_norm{.eps = 1e-6, .elementwise_affine = false}>{}) ==
        "LayerNorm((3, 4), eps=1e-06, elementwise_affine=False, bias=False)");
  CHECK(to_string(GroupNorm<2, 8>{}) == "GroupNorm(2, 8, eps=1e-05, affine=True, bias=True)");
}

TEST_CASE("pooling and upsampling print sizes as they were given") {
  CHECK(to_string(MaxPool2d<>{}) == "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)");
  CHECK(to_string(MaxPool2d<max_pool{.kernel_size = {3, 2}, .stride = {2, 1}, .padding = {1, 0}}>{}) ==
        "MaxPool2d(kernel_size=(3, 2), stride=(2, 1), padding=(1, 0), dilation=1, ceil_mode=False)");
  CHECK(to_string(AvgPool2d<avg_pool{
                      .kernel_size = 3, .stride = 2, .padding = 1, .ceil_mode = true, .count_include_pad = false}>{}) ==
        "AvgPool2d(kernel_size=3, stride=2, padding=1)");
  CHECK(to_string(AdaptiveAvgPool2d<1>{}) == "AdaptiveAvgPool2d(output_size=1)");
  CHECK(to_string(AdaptiveAvgPool2d<Size2{none, 7}>{}) == "AdaptiveAvgPool2d(output_size=(None, 7))");
  CHECK(to_string(Upsample<upsample{.scale_factor = 2}>{}) == "Upsample(scale_factor=2.0, mode='nearest')");
  CHECK(to_string(Upsample<upsample{.scale_factor = {2, 3}, .mode = "bilinear"}>{}) ==
        "Upsample(scale_factor=(2.0, 3.0), mode='bilinear')");
  CHECK(to_string(Upsample<upsample{.size = {5, 7}}>{}) == "Upsample(size=(5, 7), mode='nearest')");
}

TEST_CASE("activations and the rest print their options") {
  CHECK(to_string(ReLU{}) == "ReLU()");
  CHECK(to_string(ReLUInplace{}) == "ReLU(inplace=True)");
  CHECK(to_string(LeakyReLU<>{}) == "LeakyReLU(negative_slope=0.01)");
  CHECK(to_string(LeakyReLU<0.2, true>{}) == "LeakyReLU(negative_slope=0.2, inplace=True)");
  CHECK(to_string(LeakyReLU<1e-5>{}) == "LeakyReLU(negative_slope=1e-05)");
  CHECK(to_string(Sigmoid{}) == "Sigmoid()");
  CHECK(to_string(Tanh{}) == "Tanh()");
  CHECK(to_string(GELU<>{}) == "GELU(approximate='none')");
  CHECK(to_string(GELU<"tanh">{}) == "GELU(approximate='tanh')");
  CHECK(to_string(SiLU{}) == "SiLU()");
  CHECK(to_string(Dropout<>{}) == "Dropout(p=0.5, inplace=False)");
  CHECK(to_string(Dropout<1.0 / 3, true>{}) == "Dropout(p=0.3333333333333333, inplace=True)");
  CHECK(to_string(Softmax<1>{}) == "Softmax(dim=1)");
  CHECK(to_string(LogSoftmax<-1>{}) == "LogSoftmax(dim=-1)");
  CHECK(to_string(Flatten<>{}) == "Flatten(start_dim=1, end_dim=-1)");
  CHECK(to_string(Identity{}) == "Identity()");
  CHECK(to_string(CrossEntropyLoss<>{}) == "CrossEntropyLoss()");
  CHECK(to_string(MSELoss<>{}) == "MSELoss()");
}
