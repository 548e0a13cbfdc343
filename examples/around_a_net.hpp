/// Models around a model: what chapter 3 makes of a ResNet.
#pragma once
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/dropout.hpp>
#include <lamina/layers/functional.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/layers/softmax.hpp>
#include <tuple>

/// A head for ten classes in the place of ResNet-50's.
using Head =
    lamina::Sequential<lamina::named<"fc1", lamina::Linear<2048, 128>>, lamina::named<"relu1", lamina::ReLU>,
                       lamina::named<"dropout1", lamina::Dropout<>>, lamina::named<"fc2", lamina::Linear<128, 10>>,
                       lamina::named<"output", lamina::Softmax<1>>>;

/// The thousand results of a net and a second input, one number a picture, make the features of a new layer.
template <class Net> struct ExtraInput {
  Net net;
  lamina::ReLU relu;
  lamina::Dropout<> dropout;
  lamina::Linear<1001, 10> fc_add;
  lamina::Softmax<1> output;

  constexpr auto operator()(auto x, auto number) const {
    auto features = dropout(relu(net(x)));
    return output(fc_add(lamina::cat<1>(features, lamina::unsqueeze<1>(number))));
  }
};

/// Two results: ten classes, and the thousand features under them.
template <class Net> struct ExtraOutput {
  Net net;
  lamina::ReLU relu;
  lamina::Dropout<> dropout;
  lamina::Linear<1000, 10> fc1;
  lamina::Softmax<1> output;

  constexpr auto operator()(auto x) const {
    auto features = lamina::materialise(net(x));
    return std::tuple(lamina::materialise(output(fc1(dropout(relu(features))))), features);
  }
};
