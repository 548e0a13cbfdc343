/// Chapter 3: change a model that exists: another head, another layer anywhere, one more input, one more output, the
/// outputs of modules inside.
///   chapter3_change
#include "around_a_net.hpp"
#include <iostream>
#include <lamina.hpp>

using namespace lamina;

static_assert(
    std::is_same_v<output_shape<ExtraInput<models::ResNet50>, Shape<4, 3, 224, 224>, Shape<4>>, Shape<4, 10>>);

/// Fills a model with small numbers, the same at every run; PyTorch's weights would be loaded here.
template <class Net> void fill(Net& net) {
  std::uint32_t state = 1;
  for_each_stored(net, [&](const Path& path, auto& parameter) {
    for (auto& value : parameter.span()) {
      state = state * 1664525u + 1013904223u;
      const float u = float(state >> 8) * 0x1p-24f;  // [0, 1)
      value = path.name == "running_var" ? decltype(+value)(1) : decltype(+value)((u - 0.5f) * 0.1f);
    }
  });
}

int main() {
  models::ResNet50 net;
  fill(net);

  // A new head. The type is a new one; every other weight moves.
  auto with_head = replace<"fc">(std::move(net), Head{});
  fill(with_head.fc);
  std::cout << "the new head:\n" << with_head.fc << '\n';

  Tensor<float, Shape<1, 3, 64, 64>> picture;
  picture.fill(0.5f);
  auto engine = compile<Shape<1, 3, 64, 64>>(with_head);
  const auto classes = engine(picture);
  std::cout << "ten classes:";
  for (float p : classes.span()) std::cout << ' ' << p;

  // Any layer can go, by its path: the last block gets a convolution with a bias.
  auto biased = replace<"layer4.2.conv3">(std::move(with_head), Conv2d<512, 2048, conv{.kernel_size = 1}>{});
  fill(get<"layer4.2.conv3">(biased));
  std::cout << "\nthe new layer: " << get<"layer4.2.conv3">(biased)
            << "\na parameter beside it: " << get<"layer4.2.bn3.weight">(biased).size << " elements";

  // Features of modules inside: what only the result needs is neither computed nor planned.
  auto features = only_output<"layer2", "layer4">(std::move(biased));
  static_assert(macs<decltype(features), Shape<1, 3, 64, 64>> < macs<models::ResNet50, Shape<1, 3, 64, 64>>);
  const auto [c3, c5] = features(picture);
  std::cout << "\nfeatures: " << (Text{} << c3.dims() << " and " << c5.dims()).view();

  ExtraInput<models::ResNet18> two_inputs;
  fill(two_inputs);
  Tensor<float, Shape<1>> number;
  number.fill(0.25f);
  const auto ten = compile<Shape<1, 3, 64, 64>, Shape<1>>(two_inputs)(picture, number);
  std::cout << "\nwith a second input:";
  for (float p : ten.span()) std::cout << ' ' << p;

  ExtraOutput<models::ResNet18> two_outputs;
  fill(two_outputs);
  const auto [probabilities, logits] = compile<Shape<1, 3, 64, 64>>(two_outputs)(picture);
  std::cout << "\nwith a second output: " << probabilities.size() << " classes and " << logits.size() << " features\n";
}
