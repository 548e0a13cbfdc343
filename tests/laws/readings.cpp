/// Eager evaluation, the plan for static extents and the plan for dyn extents read one forward: their results agree.
#include "laws.hpp"
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>

using namespace lamina;
using namespace laws;

namespace {
// Residuals, concatenations of every kind and several readers of one value.
struct Tangle {
  Conv2d<3, 8, conv{.kernel_size = 3, .padding = 1}> conv1;
  BatchNorm2d<8> bn1;
  Conv2d<8, 8, conv{.kernel_size = 3, .padding = 1, .bias = false}> conv2;
  BatchNorm2d<8> bn2;
  ConvTranspose2d<24, 5, conv_transpose{.kernel_size = 2, .stride = 2}> up;
  Parameter<Shape<5, 1, 1>> scale;

  constexpr auto operator()(auto x) const {
    auto a = relu(bn1(conv1(x)));
    auto b = relu(bn2(conv2(a)) + a);  // a is read again below: the sum may not overwrite it
    auto c = cat<1>(a, b, a);          // a twice: one of the two is a copy
    return up(c) * scale;
  }
};
struct TwoResults {
  Linear<6, 4> fc;
  constexpr auto operator()(auto x) const {
    auto features = materialise(fc(x));
    return std::tuple(materialise(relu(features)), features);
  }
};
struct Passes {
  Dropout<> dropout;
  constexpr auto operator()(auto x) const { return dropout(x); }
};
struct Doubled {
  constexpr auto operator()(auto x) const { return std::tuple(x, x); }
};
}  // namespace

TEST_CASE("eager, planned and dyn results agree, also for batches") {
  Tangle net;
  fill(net, 1);
  Tensor<float, Shape<2, 3, 7, 9>> x;
  fill(x, 2);
  const Tensor<float, Shape<2, 5, 14, 18>> eager = net(x);
  const auto planned = compile<Shape<2, 3, 7, 9>>(net)(x);
  const auto dynamic = compile<Shape<dyn, 3, dyn, dyn>>(net)(x);
  CHECK(difference(eager, planned) < 1e-5);
  CHECK(difference(planned, dynamic) == 0);
}

TEST_CASE("an item of a batch gives what it gives alone") {
  Tangle net;
  fill(net, 3);
  Tensor<float, Shape<3, 3, 6, 5>> batch;
  fill(batch, 4);
  const auto all = compile<Shape<3, 3, 6, 5>>(net)(batch);
  auto one = compile<Shape<1, 3, 6, 5>>(net);
  for (idx n = 0; n < 3; ++n) {
    Tensor<float, Shape<1, 3, 6, 5>> x;
    std::copy_n(batch.data() + n * x.size(), x.size(), x.data());
    const auto y = one(x);
    for (idx i = 0; i < y.size(); ++i) REQUIRE(y.data()[i] == all.data()[n * y.size() + i]);
  }
}

TEST_CASE("an engine for dyn extents serves one size after another") {
  Tangle net;
  fill(net, 5);
  auto engine = compile<Shape<dyn, 3, dyn, dyn>>(net);
  const auto run = [&]<idx H, idx W>(Shape<1, 3, H, W>) {
    Tensor<float, Shape<1, 3, H, W>> x;
    fill(x, 6);
    CHECK(difference(engine(x), compile<Shape<1, 3, H, W>>(net)(x)) == 0);
  };
  run(Shape<1, 3, 8, 8>{});
  run(Shape<1, 3, 3, 17>{});
  run(Shape<1, 3, 8, 8>{});
}

TEST_CASE("several results, results that are inputs, and one value twice") {
  TwoResults net;
  fill(net, 7);
  Tensor<float, Shape<2, 6>> x;
  fill(x, 8);
  const auto [rectified, features] = compile<Shape<2, 6>>(net)(x);
  const auto [eager_rectified, eager_features] = net(x);
  CHECK(difference(features, eager_features) < 1e-6);
  for (idx i = 0; i < features.size(); ++i) CHECK(rectified.data()[i] == std::max(features.data()[i], 0.f));

  CHECK(difference(compile<Shape<2, 6>>(Passes{})(x), x) == 0);
  const auto [first, second] = compile<Shape<2, 6>>(Doubled{})(x);
  CHECK(difference(first, x) == 0);
  CHECK(difference(second, x) == 0);
}

namespace {
struct Numbers {
  Linear<3, 4> fc;
  constexpr auto operator()(auto x) const { return 1 - (fc(x) * 2.f - 0.5f) / 4; }
};
}  // namespace

TEST_CASE("arithmetic with numbers") {
  Numbers net;
  fill(net, 11);
  Tensor<float, Shape<2, 3>> x;
  fill(x, 12);
  const auto inner = materialise(net.fc(x));
  const auto eager = materialise(net(x)), planned = compile<Shape<2, 3>>(net)(x);
  for (idx i = 0; i < inner.size(); ++i)
    CHECK(std::abs(eager.data()[i] - (1 - (inner.data()[i] * 2 - 0.5f) / 4)) < 1e-6f);
  CHECK(difference(eager, planned) < 1e-6);
}

namespace {
struct Images {
  Conv2d<3, 4, conv{.kernel_size = 3, .padding = 1}> conv1;
  MaxPool2d<> pool;
  ConvTranspose2d<4, 2, conv_transpose{.kernel_size = 2, .stride = 2}> up;
  AdaptiveAvgPool2d<2> average;
  constexpr auto operator()(auto x) const { return average(up(pool(relu(conv1(x))))); }
};
}  // namespace

TEST_CASE("an image without a batch gives what it gives as a batch of one") {
  static_assert(std::is_same_v<output_shape<Images, Shape<3, 8, 6>>, Shape<2, 2, 2>>);
  Images net;
  fill(net, 13);
  Tensor<float, Shape<3, 8, 6>> image;
  fill(image, 14);
  const Tensor<float, Shape<1, 3, 8, 6>> batch(image.storage(), Dims{1, 3, 8, 6});
  const auto expected = compile<Shape<1, 3, 8, 6>>(net)(batch);
  const auto planned = compile<Shape<3, 8, 6>>(net)(image);
  const auto eager = materialise(net(image));
  REQUIRE(planned.dims() == Dims{2, 2, 2});
  for (idx i = 0; i < planned.size(); ++i) {
    CHECK(planned.data()[i] == expected.data()[i]);
    CHECK(std::abs(eager.data()[i] - expected.data()[i]) < 1e-6f);
  }
}

TEST_CASE("a compiled model keeps the weights it was compiled with") {
  Linear<3, 2> net;
  fill(net, 9);
  Tensor<float, Shape<1, 3>> x;
  fill(x, 10);
  auto engine = compile<Shape<1, 3>>(net);
  const auto before = engine(x);
  for (float& w : net.weight.span()) w = 0;
  CHECK(difference(engine(x), before) == 0);
}
