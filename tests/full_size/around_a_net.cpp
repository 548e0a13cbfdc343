// Chapter 3's changes of a ResNet against PyTorch's numbers: another head, one more input, one more output.
#include "../../examples/around_a_net.hpp"
#include "full_size.hpp"
#include <catch2/catch_test_macros.hpp>
#include <lamina/compose/replace.hpp>

using namespace lamina;
using full_size::Reference;

namespace {
using Picture = Shape<2, 3, 48, 40>;

/// Hashed weights; those of the layers around the net are a hundredth of it.
template <class Net> void fill(Net& net, std::string_view small) {
  full_size::fill(net);
  for (const auto& tensor : stored_tensors(net))
    if (tensor.path.starts_with(small)) {
      float* const elements = reinterpret_cast<float*>(tensor.storage->data());
      for (idx i = 0; i < count(tensor.dims); ++i) elements[i] *= 0.01f;
    }
}
Tensor<float, Picture> picture() {
  Tensor<float, Picture> x;
  Reference("extra_input").read("input", x.dims(), x.data());
  return x;
}
}  // namespace

TEST_CASE("around a net/extra input") {
  const Reference reference("extra_input");
  ExtraInput<models::ResNet18> net;
  fill(net, "fc_add.");
  const auto x = picture();
  Tensor<float, Shape<2>> number;
  reference.read("number", number.dims(), number.data());
  const auto eager = materialise(net(x, number));
  reference.compare("eager", eager.dims(), eager.data());
  const auto planned = compile<Picture, Shape<2>>(net)(x, number);
  reference.compare("planned", planned.dims(), planned.data());
}

TEST_CASE("around a net/extra output") {
  const Reference reference("extra_output");
  ExtraOutput<models::ResNet18> net;
  fill(net, "fc1.");
  const auto check = [&](const char* reading, const auto& results) {
    const auto& [y, features] = results;
    reference.compare(reading, y.dims(), y.data());
    reference.compare(reading, features.dims(), features.data(), "features");
  };
  const auto x = picture();
  check("eager", net(x));
  check("planned", compile<Picture>(net)(x));
}

TEST_CASE("around a net/another head") {
  const Reference reference("new_head");
  auto net = replace<"fc">(models::ResNet50{}, Head{});
  fill(net, "fc.");
  const auto planned = compile<Picture>(net)(picture());
  reference.compare("planned", planned.dims(), planned.data());
}
