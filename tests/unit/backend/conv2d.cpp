/// Convolution and its adjoint against the formula in double precision.
#include "operands.hpp"
#include <cmath>

using namespace backend_test;

namespace {
/// The formula of ops::Conv2d.
std::vector<double> convolve(const ops::Conv2d& op, const Operand& x, const Operand& w, const Operand* bias) {
  const Dims y = op.shape(x.dims);
  const auto& [h, v] = op.window;
  const idx channels = op.in_channels / op.groups, outs = op.out_channels / op.groups;
  std::vector<double> sums;
  for (idx n = 0; n < y[0]; ++n)
    for (idx o = 0; o < y[1]; ++o)
      for (idx i = 0; i < y[2]; ++i)
        for (idx j = 0; j < y[3]; ++j) {
          double sum = bias ? double((*bias)[o]) : 0;
          for (idx c = 0; c < channels; ++c)
            for (idx p = 0; p < h.kernel; ++p)
              for (idx q = 0; q < v.kernel; ++q) {
                const idx a = i * h.stride + p * h.dilation - h.before, b = j * v.stride + q * v.dilation - v.before;
                if (a >= 0 && a < x.dims[2] && b >= 0 && b < x.dims[3])
                  sum += double(x.at(n, o / outs * channels + c, a, b)) * double(w.at(o, c, p, q));
              }
          sums.push_back(sum);
        }
  return sums;
}

/// "Every input element adds ...", the formula of ops::ConvTranspose2d.
std::vector<double> spread(const ops::ConvTranspose2d& op, const Operand& x, const Operand& w, const Operand* bias) {
  const Dims y = op.shape(x.dims);
  const auto& [h, v] = op.window;
  const idx channels = op.in_channels / op.groups, outs = op.out_channels / op.groups;
  std::vector<double> sums(std::size_t(count(y)));
  for (std::size_t i = 0; bias && i < sums.size(); ++i) sums[i] = double((*bias)[idx(i) / (y[2] * y[3]) % y[1]]);
  for (idx n = 0; n < y[0]; ++n)
    for (idx c = 0; c < x.dims[1]; ++c)
      for (idx i = 0; i < x.dims[2]; ++i)
        for (idx j = 0; j < x.dims[3]; ++j)
          for (idx o = 0; o < outs; ++o)
            for (idx p = 0; p < h.kernel; ++p)
              for (idx q = 0; q < v.kernel; ++q) {
                const idx a = i * h.stride + p * h.dilation - h.before, b = j * v.stride + q * v.dilation - v.before;
                if (a >= 0 && a < y[2] && b >= 0 && b < y[3])
                  sums[std::size_t(((n * y[1] + c / channels * outs + o) * y[2] + a) * y[3] + b)] +=
                      double(x.at(n, c, i, j)) * double(w.at(c, o, p, q));
              }
  return sums;
}

struct Case {
  int in, out, groups;
  ops::Window height, width;
  Dims x;
};

std::vector<Case> cases() {
  return {
      {4, 6, 1, {.kernel = 3}, {.kernel = 3}, {2, 4, 7, 9}},
      {4, 6, 1, {3, 2, 1, 1, 1}, {5, 1, 2, 2, 2}, {2, 4, 11, 13}},
      {4, 8, 2, {3, 1, 1, 1, 1}, {3, 1, 1, 1, 1}, {3, 4, 6, 5}},
      {4, 8, 4, {3, 2, 1, 1, 1}, {3, 2, 1, 1, 1}, {2, 4, 9, 8}},       // depthwise
      {5, 5, 5, {3, 1, 2, 2, 2}, {3, 3, 4, 4, 3}, {1, 5, 7, 300}},     // depthwise, wider than a chunk
      {3, 1, 1, {.kernel = 1}, {.kernel = 1}, {2, 3, 4, 5}},           // one output channel
      {16, 24, 1, {.kernel = 1}, {.kernel = 1}, {1, 16, 13, 17}},      // more columns than a tile
      {4, 3, 1, {1, 2, 0, 0, 1}, {1, 2, 0, 0, 1}, {2, 4, 7, 7}},       // strided 1x1
      {4, 3, 1, {4, 1, 1, 2, 1}, {3, 1, 2, 2, 2}, {1, 4, 6, 6}},       // "same": uneven padding
      {3, 7, 1, {7, 2, 3, 3, 1}, {7, 2, 3, 3, 1}, {1, 3, 23, 21}},     // stem
      {40, 13, 1, {3, 1, 1, 1, 1}, {3, 1, 1, 1, 1}, {1, 40, 7, 7}},    // depth beyond a block, one pixel in the last
                                                                       // panel
      {2, 3, 1, {20, 1, 0, 0, 1}, {20, 1, 0, 0, 1}, {1, 2, 21, 22}},   // more taps than a block is deep
      {2, 600, 1, {2, 1, 0, 0, 1}, {2, 1, 0, 0, 1}, {1, 2, 3, 4}},     // more rows than a block
      {3, 4, 1, {3, 1, 5, 5, 1}, {2, 4, 3, 3, 1}, {1, 3, 2, 1}},       // windows that lie in the padding alone
      {40, 72, 1, {3, 2, 1, 1, 1}, {3, 2, 1, 1, 1}, {2, 40, 9, 8}},    // several blocks, the last one not whole
      {40, 40, 40, {3, 1, 1, 1, 1}, {3, 1, 1, 1, 1}, {2, 40, 5, 6}},   // depthwise, several blocks
      {48, 24, 8, {3, 1, 1, 1, 1}, {3, 1, 1, 1, 1}, {2, 48, 5, 5}},    // groups that blocks cut
      {32, 64, 2, {3, 1, 2, 2, 2}, {1, 1, 0, 0, 1}, {1, 32, 6, 7}},    // groups of whole blocks
      {30, 20, 10, {2, 2, 0, 0, 1}, {2, 2, 0, 0, 1}, {1, 30, 6, 6}},   // groups of 3 and 2 channels
      {600, 17, 1, {3, 1, 1, 1, 1}, {3, 1, 1, 1, 1}, {1, 600, 4, 5}},  // more weights than a cache holds
  };
}
}  // namespace

namespace {
/// What rounding makes of sums so deep, one after another in float: it grows with the square root of the depth.
double rounding(const Case& c) {
  return std::fmax(1e-6, 6e-8 * std::sqrt(double(c.in / c.groups * c.height.kernel * c.width.kernel)));
}
}  // namespace

TEST_CASE("conv2d computes its formula", "[cpu]") {
  unsigned seed = 1;
  for (const Case& c : cases())
    for (const bool with_bias : {false, true})
      for (const idx gap : {0, 5}) {
        const ops::Conv2d op{c.in, c.out, c.groups, {c.height, c.width}};
        REQUIRE(op.check(c.x).empty());
        const Operand x = Operand::random(c.x, ++seed, gap), b = Operand::random({c.out}, ++seed);
        const Operand w = Operand::random({c.out, c.in / c.groups, c.height.kernel, c.width.kernel}, ++seed);
        Operand y(op.shape(c.x), 2 * gap);
        Run({x.in()}, {&w, with_bias ? &b : nullptr}).into(op, y);
        CAPTURE(seed, c.in, c.out, c.groups);
        CHECK(error_of(y, convolve(op, x, w, with_bias ? &b : nullptr)) < rounding(c));
      }
}

namespace {
/// Largest error of a 3x3 convolution with batch norm, residual and activation, of the largest output.
double winograd_error(Accuracy accuracy, const Dims& dims, int out, int padding, int threads, host::Method expected) {
  const int in = int(dims[1]);
  const ops::Conv2d op{in, out, 1, {{3, 1, padding, padding, 1}, {3, 1, padding, padding, 1}}};
  const Operand x = Operand::random(dims, 1, 2), w = Operand::random({out, in, 3, 3}, 2), b = Operand::random({out}, 3),
                scale = Operand::random({out}, 4), shift = Operand::random({out}, 5),
                residual = Operand::random(op.shape(dims), 6, 1);
  auto reference = convolve(op, x, w, &b);
  const idx area = residual.dims[2] * residual.dims[3];
  for (idx i = 0; i < residual.size(); ++i) {
    const idx channel = i / area % out;
    double& v = reference[std::size_t(i)];
    v = v * double(scale[channel]) + double(shift[channel]) + double(residual[i]);
    v = v > 0 ? v : double(0.25f) * v;
  }
  Operand y(residual.dims, 3);
  Run run({x.in()}, {&w, &b});
  run.add(residual).norm(scale, shift).with(accuracy);
  run.call.epilogue.activation = {ops::Activation::Kind::leaky_relu, 0.25f};
  run.call.threads = threads;
  run.into(op, y);
  CHECK(run.call.method == expected);
  return error_of(y, reference);
}
}  // namespace

TEST_CASE("Winograd's convolutions compute the formula", "[cpu]") {
  const host::Method two = host::Method::winograd2, four = host::Method::winograd4;
  for (const int threads : {1, 2, 3})
    for (const Dims& dims : {Dims{1, 64, 12, 12}, Dims{2, 70, 13, 7}, Dims{3, 33, 9, 30}}) {
      CAPTURE(threads, dims[1]);
      CHECK(winograd_error(Accuracy::strict, dims, 50, 1, threads, two) < 1e-6);
      CHECK(winograd_error(Accuracy::fast, dims, 64, 1, threads, four) < 1e-5);
      CHECK(winograd_error(Accuracy::fast, dims, 49, 0, threads, four) < 1e-5);
      CHECK(winograd_error(Accuracy::fast, dims, 16, 2, threads, four) < 1e-5);
    }
}

TEST_CASE("results do not depend on the number of threads, bit for bit", "[cpu]") {
  unsigned seed = 4000;
  for (const Case& c : cases())
    for (const Accuracy accuracy : {Accuracy::fast, Accuracy::exact}) {
      const ops::Conv2d op{c.in, c.out, c.groups, {c.height, c.width}};
      const Operand x = Operand::random(c.x, ++seed);
      const Operand w = Operand::random({c.out, c.in / c.groups, c.height.kernel, c.width.kernel}, ++seed);
      Operand one(op.shape(c.x)), many(op.shape(c.x));
      Run({x.in()}, {&w}).with(accuracy).into(op, one);
      Run run({x.in()}, {&w});
      run.call.threads = 4;
      run.with(accuracy).into(op, many);
      CHECK(one.memory == many.memory);
    }
}

TEST_CASE("conv_transpose2d computes its formula", "[cpu]") {
  unsigned seed = 1000;
  for (const Case& c : cases())
    for (const int extra : {0, 1}) {
      ops::ConvTranspose2d op{c.in,
                              c.out / c.groups * c.groups,
                              c.groups,
                              {c.height, c.width},
                              extra * (c.height.stride > 1),
                              extra * (c.width.stride > 1)};
      if (!op.check(c.x).empty()) continue;
      const Operand x = Operand::random(c.x, ++seed, 3), b = Operand::random({c.out}, ++seed);
      const Operand w = Operand::random({c.in, c.out / c.groups, c.height.kernel, c.width.kernel}, ++seed);
      Operand y(op.shape(c.x), 7);
      Run({x.in()}, {&w, extra ? &b : nullptr}).into(op, y);
      CAPTURE(seed, c.in, c.out, c.groups);
      CHECK(error_of(y, spread(op, x, w, extra ? &b : nullptr)) < rounding(c));
    }
}

TEST_CASE("conv_transpose2d with a stride beyond its kernel leaves only the bias between", "[cpu]") {
  const ops::ConvTranspose2d op{1, 1, 1, {{.kernel = 1, .stride = 2}, {.kernel = 1, .stride = 3}}};
  const Operand x = Operand::of({1, 1, 2, 2}, {1, 2, 3, 4}), w = Operand::of({1, 1, 1, 1}, {10}),
                b = Operand::of({1}, {0.5f});
  Operand y(op.shape(x.dims));
  Run({x.in()}, {&w, &b}).into(op, y);
  const std::vector<float> expected{10.5f, .5f, .5f, 20.5f, .5f, .5f, .5f, .5f, 30.5f, .5f, .5f, 40.5f};
  CHECK(y.memory == expected);
}

TEST_CASE("conv_transpose2d is the adjoint of conv2d", "[cpu]") {
  unsigned seed = 2000;
  for (const Case& c : cases()) {
    if (c.height.before != c.height.after || c.width.before != c.width.after) continue;
    const ops::Conv2d op{c.in, c.out, c.groups, {c.height, c.width}};
    const Dims image = c.x, result = op.shape(c.x);
    // What the strides leave over at the end of the image is the output padding.
    ops::ConvTranspose2d adjoint{c.out, c.in, c.groups, {c.height, c.width}};
    const Dims least = adjoint.shape(result);
    adjoint.output_padding_height = int(image[2] - least[2]), adjoint.output_padding_width = int(image[3] - least[3]);
    const Operand x = Operand::random(image, ++seed), v = Operand::random(result, ++seed);
    const Operand w = Operand::random({c.out, c.in / c.groups, c.height.kernel, c.width.kernel}, ++seed);
    Operand ax(result), atv(image);
    Run({x.in()}, {&w}).into(op, ax);
    Run({v.in()}, {&w}).into(adjoint, atv);
    CAPTURE(seed);
    CHECK(std::fabs(scalar_product(ax, v) - scalar_product(x, atv)) < 1e-4 * (1 + std::fabs(scalar_product(ax, v))));
  }
}

TEST_CASE("a convolution's epilogue is bias, batch norm, residual, activation in this order", "[cpu]") {
  unsigned seed = 3000;
  for (const Case& c : cases())
    for (const bool transposed : {false, true})
      for (const bool in_place : {false, true}) {
        const ops::Conv2d conv{c.in, c.out, c.groups, {c.height, c.width}};
        const ops::ConvTranspose2d up{c.in, c.out, c.groups, {c.height, c.width}};
        if (transposed && !up.check(c.x).empty()) continue;
        const idx kh = c.height.kernel, kw = c.width.kernel;
        const Operand x = Operand::random(c.x, ++seed), b = Operand::random({c.out}, ++seed);
        const Operand w = Operand::random(
            transposed ? Dims{c.in, c.out / c.groups, kh, kw} : Dims{c.out, c.in / c.groups, kh, kw}, ++seed);
        const Operand scale = Operand::random({c.out}, ++seed), shift = Operand::random({c.out}, ++seed);
        const Operand residual = Operand::random(transposed ? up.shape(c.x) : conv.shape(c.x), ++seed, 4);
        auto expected = transposed ? spread(up, x, w, &b) : convolve(conv, x, w, &b);
        const idx area = residual.dims[2] * residual.dims[3];
        for (idx i = 0; i < residual.size(); ++i) {
          const idx channel = i / area % c.out;
          double& v = expected[std::size_t(i)];
          v = v * double(scale[channel]) + double(shift[channel]) + double(residual[i]);
          v = v > 0 ? v : double(0.25f) * v;
        }
        Operand y = in_place ? residual : Operand(residual.dims, 9);
        Run run({x.in()}, {&w, &b});
        run.add(in_place ? y : residual);
        run.norm(scale, shift);
        run.call.epilogue.activation = {ops::Activation::Kind::leaky_relu, 0.25f};
        run.into(transposed ? Operation(up) : Operation(conv), y);
        CAPTURE(seed, transposed, in_place);
        CHECK(error_of(y, expected) < rounding(c));
      }
}

TEST_CASE("convolutions of nothing", "[cpu]") {
  const Operand w = Operand::random({8, 4, 3, 3}, 1), x(Dims{0, 4, 8, 8});
  const ops::Conv2d op{4, 8, 1, {{3, 1, 1, 1, 1}, {3, 1, 1, 1, 1}}};
  Operand y(op.shape(x.dims));
  Run({x.in()}, {&w}).into(op, y);
  CHECK(y.size() == 0);
}
