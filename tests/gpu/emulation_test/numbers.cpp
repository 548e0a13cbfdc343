/// The numbers of the emulated cuDNN against plain loops over the definitions, and against numbers of PyTorch.
#include "graphs.hpp"
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <lamina/core/dtype.hpp>
#include <limits>
#include <random>

using namespace emulation_test;
using Catch::Matchers::WithinAbs;

namespace {

/// Values of a tensor of four dimensions, channels last.
struct Image {
  Dims dims;
  Floats values;
  explicit Image(const Dims& extents) : dims(extents), values(std::size_t(dims[0] * dims[1] * dims[2] * dims[3])) {}
  float& at(idx n, idx c, idx h, idx w) { return values[std::size_t(((n * dims[2] + h) * dims[3] + w) * dims[1] + c)]; }
  bool has(idx h, idx w) const { return h >= 0 && h < dims[2] && w >= 0 && w < dims[3]; }
};

Image random_image(const Dims& dims, unsigned seed) {
  Image image(dims);
  std::mt19937 random(seed);
  for (float& value : image.values) value = float(int(random() % 2001) - 1000) / 1000;
  return image;
}

/// Calls visit(n, k, h, w of the result; c, r, s of the filter; row, column of the image) for every product.
template <class Visit>
void for_each_product(Image& x, const Image& filter, const Image& y, const lamina::ops::Window2d& window, Visit visit) {
  const idx groups = x.dims[1] / filter.dims[1], outputs = filter.dims[0] / groups;
  for (idx n = 0; n < y.dims[0]; ++n)
    for (idx k = 0; k < y.dims[1]; ++k)
      for (idx h = 0; h < y.dims[2]; ++h)
        for (idx w = 0; w < y.dims[3]; ++w)
          for (idx c = 0; c < filter.dims[1]; ++c)
            for (idx r = 0; r < filter.dims[2]; ++r)
              for (idx s = 0; s < filter.dims[3]; ++s) {
                const idx row = h * window.height.stride - window.height.before + r * window.height.dilation;
                const idx column = w * window.width.stride - window.width.before + s * window.width.dilation;
                if (x.has(row, column)) visit(n, k, h, w, k / outputs * filter.dims[1] + c, c, r, s, row, column);
              }
}

Floats convolution(Image x, Image filter, Image y, const lamina::ops::Window2d& window) {
  for_each_product(x, filter, y, window,
                   [&](idx n, idx k, idx h, idx w, idx channel, idx c, idx r, idx s, idx row, idx column) {
                     y.at(n, k, h, w) += x.at(n, channel, row, column) * filter.at(k, c, r, s);
                   });
  return y.values;
}
Floats backward_data(Image dx, Image filter, Image dy, const lamina::ops::Window2d& window) {
  for_each_product(dx, filter, dy, window,
                   [&](idx n, idx k, idx h, idx w, idx channel, idx c, idx r, idx s, idx row, idx column) {
                     dx.at(n, channel, row, column) += dy.at(n, k, h, w) * filter.at(k, c, r, s);
                   });
  return dx.values;
}

void check_close(const Floats& values, const Floats& expected, float tolerance = 1e-4f) {
  REQUIRE(values.size() == expected.size());
  float worst = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float difference = std::fabs(values[i] - expected[i]);
    worst = difference <= worst ? worst : difference;  // a NaN is the worst
  }
  CHECK(worst <= tolerance);
}

struct Case {
  const char* name;
  Dims image, filter;
  lamina::ops::Window2d window;
};
const Case cases[] = {
    {"3 x 3", {2, 5, 7, 9}, {18, 5, 3, 3}, square(3, 1, 1)},
    {"stride 2 of 7 x 7", {1, 3, 15, 14}, {20, 3, 7, 7}, square(7, 2, 3)},
    {"dilated", {1, 4, 12, 11}, {6, 4, 3, 3}, square(3, 1, 2, 2)},
    {"1 x 1", {3, 33, 2, 2}, {17, 33, 1, 1}, square(1)},
    {"other padding and stride on each side", {1, 2, 9, 8}, {3, 2, 2, 4}, {{2, 3, 0, 1, 1}, {4, 2, 2, 1, 1}}},
    {"four groups", {2, 12, 6, 6}, {8, 3, 3, 3}, square(3, 1, 1)},
    {"depthwise", {1, 20, 5, 5}, {40, 1, 3, 3}, square(3, 2, 1)},
};

/// A function of one number.
float applied(Function function, float x, float parameter = 0) {
  Graph graph;
  const Dims one{1, 1, 1, 1};
  const int a = graph.tensor(one), y = graph.tensor(one);
  graph.pointwise(function, a, -1, y, parameter);
  return computed(graph, {Floats{x}})[0];
}

}  // namespace

TEST_CASE("convolutions and their gradients of the image") {
  for (const Case& c : cases) {
    INFO(c.name);
    const Dims result = lamina::ops::window_dims(c.image, c.filter[0], c.window);
    const Image filter = random_image(c.filter, 1);
    {
      Graph graph;
      const int x = graph.tensor(c.image), w = graph.tensor(c.filter), y = graph.tensor(result);
      graph.products(Kind::convolution, c.window, x, w, y);
      const Image image = random_image(c.image, 2);
      check_close(computed(graph, {image.values, filter.values}), convolution(image, filter, Image(result), c.window));
    }
    Graph graph;
    const int dy = graph.tensor(result), w = graph.tensor(c.filter), dx = graph.tensor(c.image);
    graph.products(Kind::backward_data, c.window, dy, w, dx);
    const Image gradient = random_image(result, 3);
    check_close(computed(graph, {gradient.values, filter.values}),
                backward_data(Image(c.image), filter, gradient, c.window));
  }
}

TEST_CASE("a convolution with an epilogue") {
  const Dims dims{2, 6, 5, 5}, bias_dims{1, 6, 1, 1};
  Graph graph;
  const int x = graph.tensor(dims), w = graph.tensor({6, 6, 3, 3}), b = graph.tensor(bias_dims), r = graph.tensor(dims);
  const int sum = graph.between(dims), biased = graph.between(dims), added = graph.between(dims),
            y = graph.tensor(dims);
  graph.products(Kind::convolution, square(3, 1, 1), x, w, sum);
  graph.pointwise(Function::add, sum, b, biased);
  graph.pointwise(Function::add, biased, r, added);
  graph.pointwise(Function::relu, added, -1, y);
  const Image image = random_image(dims, 1), filter = random_image({6, 6, 3, 3}, 2), residual = random_image(dims, 4);
  const Floats bias = random_image(bias_dims, 3).values;
  Floats expected = convolution(image, filter, Image(dims), square(3, 1, 1));
  for (std::size_t i = 0; i < expected.size(); ++i)
    expected[i] = std::max(0.f, expected[i] + bias[i % 6] + residual.values[i]);
  check_close(computed(graph, {image.values, filter.values, bias, residual.values}), expected);
}

TEST_CASE("16-bit operands and results are rounded to nearest even, sums are float32") {
  const auto product = [](auto type, Dtype dtype, float a, float b, idx channels) {
    using T = decltype(type);
    Graph graph;
    const int x = graph.tensor({1, channels, 1, 1}, dtype), w = graph.tensor({1, channels, 1, 1}, dtype);
    const int y = graph.tensor({1, 1, 1, 1}, dtype);
    graph.products(Kind::convolution, square(1), x, w, y);
    const auto count = std::size_t(channels);
    const std::vector<std::vector<T>> operands{std::vector<T>(count, T(a)), std::vector<T>(count, T(b))};
    return float(computed<T>(graph, operands)[0]);
  };
  CHECK(product(lamina::float16(), Dtype::float16, 1.5f, 3, 1) == 4.5f);
  CHECK(product(lamina::float16(), Dtype::float16, 1 + 0x1p-10f, 1 + 0x1p-10f, 1) == 1 + 0x1p-9f);
  CHECK(product(lamina::float16(), Dtype::float16, 1, 0x1p-11f, 4096 + 2) == 2.f);  // 2 + 2^-10: a tie
  CHECK(product(lamina::float16(), Dtype::float16, 300, 300, 1) == std::numeric_limits<float>::infinity());
  CHECK(product(lamina::bfloat16(), Dtype::bfloat16, 1.5f, 3, 1) == 4.5f);
  CHECK(product(lamina::bfloat16(), Dtype::bfloat16, 1 + 0x1p-7f, 1 + 0x1p-7f, 1) == 1 + 0x1p-6f);
  CHECK(product(lamina::bfloat16(), Dtype::bfloat16, 300, 300, 1) == 90112.f);
}

TEST_CASE("float32 operands keep 10 bits of mantissa in tensorfloat32, and all of them otherwise") {
  const auto product = [](Math math, float a) {
    Graph graph(math);
    const int x = graph.tensor({1, 1, 1, 1}), w = graph.tensor({1, 1, 1, 1}), y = graph.tensor({1, 1, 1, 1});
    graph.products(Kind::convolution, square(1), x, w, y);
    return computed(graph, {Floats{a}, Floats{1}})[0];
  };
  CHECK(product(Math::tensorfloat32, 1 + 0x1p-10f) == 1 + 0x1p-10f);
  CHECK(product(Math::tensorfloat32, 1 + 0x1p-11f) == 1);
  CHECK(product(Math::tensorfloat32, 1 + 0x1.8p-10f) == 1 + 0x1p-9f);
  CHECK(product(Math::strict, 1 + 0x1p-11f) == 1 + 0x1p-11f);
}

TEST_CASE("pooling") {
  const Dims dims{1, 1, 4, 4};
  Floats values(16);
  for (std::size_t i = 0; i < 16; ++i) values[i] = float(i) - 20;
  const auto pooled = [&](Kind kind, const lamina::ops::Window2d& window, bool count_padding = false) {
    Graph graph;
    const int x = graph.tensor(dims), y = graph.tensor(lamina::ops::window_dims(dims, 1, window));
    graph.pool(kind, window, x, y, count_padding);
    return computed(graph, {values});
  };
  CHECK(pooled(Kind::max_pool, square(3, 2, 1)) == Floats{-15, -13, -7, -5});
  CHECK(pooled(Kind::average_pool, square(2, 2)) == Floats{-17.5f, -15.5f, -9.5f, -7.5f});
  CHECK(pooled(Kind::average_pool, square(4)) == Floats{-12.5f});
  const Floats whole = pooled(Kind::average_pool, square(3, 2, 1), true),
               inside = pooled(Kind::average_pool, square(3, 2, 1));
  CHECK_THAT(whole[0], WithinAbs(-17.5 * 4 / 9, 1e-5));
  CHECK(inside[0] == -17.5f);
  values[5] = std::numeric_limits<float>::quiet_NaN();
  for (const float value : pooled(Kind::max_pool, square(3, 2, 1))) CHECK(std::isnan(value));
}

TEST_CASE("pooling keeps images and channels apart") {
  const Dims dims{2, 3, 2, 2};
  Image image(dims);
  for (idx n = 0; n < 2; ++n)
    for (idx c = 0; c < 3; ++c)
      for (idx h = 0; h < 2; ++h)
        for (idx w = 0; w < 2; ++w) image.at(n, c, h, w) = float(100 * n + 10 * c + 2 * h + w);
  Graph graph;
  const int x = graph.tensor(dims), y = graph.tensor({2, 3, 1, 1});
  graph.pool(Kind::max_pool, square(2), x, y);
  CHECK(computed(graph, {image.values}) == Floats{3, 13, 23, 103, 113, 123});
}

TEST_CASE("functions of one number, as PyTorch has them") {
  CHECK(applied(Function::relu, -2) == 0);
  CHECK(applied(Function::relu, 3) == 3);
  CHECK_THAT(applied(Function::leaky_relu, -2, 0.1f), WithinAbs(-0.2, 1e-6));
  CHECK_THAT(applied(Function::sigmoid, 1), WithinAbs(0.7310585786, 1e-6));
  CHECK_THAT(applied(Function::tanh, 1), WithinAbs(0.7615941559, 1e-6));
  CHECK_THAT(applied(Function::gelu, 1), WithinAbs(0.8413447461, 1e-6));
  CHECK_THAT(applied(Function::gelu_tanh, 1), WithinAbs(0.8411919906, 1e-6));
  CHECK_THAT(applied(Function::silu, 1), WithinAbs(0.7310585786, 1e-6));
  for (const Function f :
       {Function::relu, Function::leaky_relu, Function::sigmoid, Function::tanh, Function::gelu, Function::silu})
    CHECK(std::isnan(applied(f, std::numeric_limits<float>::quiet_NaN())));
}

TEST_CASE("a second operand with extents of 1 is spread") {
  Graph graph;
  const int a = graph.tensor({2, 3, 1, 2}), b = graph.tensor({1, 3, 1, 1}), y = graph.tensor({2, 3, 1, 2});
  graph.pointwise(Function::add, a, b, y);
  CHECK(computed(graph, {Floats(12, 1), Floats{10, 20, 30}}) == Floats{11, 21, 31, 11, 21, 31, 11, 21, 31, 11, 21, 31});
}
