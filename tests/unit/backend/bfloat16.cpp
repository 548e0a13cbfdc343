/// Kernels on pairs of bfloat16 against their formulas in double precision on operands that bfloat16 can hold. What is
/// left is the rounding of the result, half a unit in the last of 8 bits.
#include "operands.hpp"
#include <algorithm>
#include <cmath>

using namespace backend_test;

namespace {
Operand rounded(Operand x) {
  for (float& v : x.memory) v = float(bfloat16(v));
  return x;
}
Operand random(const Dims& dims, unsigned seed, idx gap = 0) { return rounded(Operand::random(dims, seed, gap)); }

/// Largest distance from the reference in units of what it may be: rounding of the result, and `slack` of the largest.
double excess(const Operand& y, const std::vector<double>& reference, double slack) {
  double scale = 1e-30, worst = 0;
  for (const double r : reference) scale = std::fmax(scale, std::fabs(r));
  for (idx i = 0; i < y.size(); ++i) {
    const double r = reference[std::size_t(i)], e = std::fabs(double(y[i]) - r) / (std::fabs(r) / 256 + slack * scale);
    worst = std::isfinite(e) ? std::fmax(worst, e) : double(infinity);
  }
  return worst;
}

/// The formula of ops::Conv2d without groups, and of its epilogue.
std::vector<double> convolve(const ops::Conv2d& op, const Operand& x, const Operand& w, const Operand& bias,
                             const Operand* residual, bool relu) {
  const Dims y = op.shape(x.dims);
  const auto& [h, v] = op.window;
  std::vector<double> sums;
  for (idx n = 0; n < y[0]; ++n)
    for (idx o = 0; o < y[1]; ++o)
      for (idx i = 0; i < y[2]; ++i)
        for (idx j = 0; j < y[3]; ++j) {
          double sum = double(bias[o]) + (residual ? double(residual->at(n, o, i, j)) : 0);
          for (idx c = 0; c < x.dims[1]; ++c)
            for (idx p = 0; p < h.kernel; ++p)
              for (idx q = 0; q < v.kernel; ++q) {
                const idx a = i * h.stride + p * h.dilation - h.before, b = j * v.stride + q * v.dilation - v.before;
                if (a >= 0 && a < x.dims[2] && b >= 0 && b < x.dims[3])
                  sum += double(x.at(n, c, a, b)) * double(w.at(o, c, p, q));
              }
          sums.push_back(relu ? std::fmax(sum, 0.) : sum);
        }
  return sums;
}

constexpr int channels[] = {1, 15, 16, 17, 31, 32, 33, 48, 100};
constexpr ops::Window2d windows[] = {{{3, 1, 1, 1, 1}, {3, 1, 1, 1, 1}},
                                     {{1, 2, 0, 0, 1}, {1, 2, 0, 0, 1}},
                                     {{3, 2, 1, 1, 1}, {5, 1, 2, 2, 2}},
                                     {{2, 1, 1, 0, 3}, {3, 3, 2, 1, 1}}};
}  // namespace

TEST_CASE("convolutions in bfloat16 compute their formula", "[cpu]") {
  unsigned seed = 1;
  for (const int in : channels)
    for (const int out : channels)
      for (const bool planar : {false, true}) {
        const ops::Window2d& window = windows[++seed % 4];
        const ops::Conv2d op{in, out, 1, window};
        const Dims dims{2, in, 5, 7};
        const Operand x = random(dims, ++seed, 3), b = Operand::random({out}, ++seed),
                      w = random({out, in, window.height.kernel, window.width.kernel}, ++seed),
                      residual = random(op.shape(dims), ++seed, 1);
        const bool sum = seed % 3 != 0, relu = seed % 5 < 2;
        Operand y(op.shape(dims), 2), parallel(op.shape(dims), 2);
        for (const int threads : {1, 3}) {
          Run run({x.in()}, {&w, &b});
          if (sum) run.add(residual);
          if (relu) run.call.epilogue.activation = {ops::Activation::Kind::relu};
          run.call.threads = threads;
          run.into_bfloat16(op, threads == 1 ? y : parallel, planar);
          CHECK(run.call.method ==
                (planar && in < 16 ? host::Method::gathered_bfloat16 : host::Method::direct_bfloat16));
        }
        CAPTURE(in, out, window.height.kernel, planar);
        CHECK(excess(y, convolve(op, x, w, b, sum ? &residual : nullptr, relu), 1e-5) < 1);
        CHECK(y.memory == parallel.memory);
      }
}

TEST_CASE("a convolution in bfloat16 with a deep sum", "[cpu]") {
  const ops::Conv2d op{600, 70, 1, windows[0]};
  const Operand x = random({1, 600, 4, 5}, 1), w = random({70, 600, 3, 3}, 2), b = Operand::random({70}, 3);
  Operand y(op.shape(x.dims));
  Run({x.in()}, {&w, &b}).into_bfloat16(op, y);
  CHECK(excess(y, convolve(op, x, w, b, nullptr, false), 1e-5) < 1);
}

TEST_CASE("weights and batch norms in bfloat16 are rounded once, together", "[cpu]") {
  const ops::Conv2d op{20, 33, 1, windows[0]};
  const Operand x = random({1, 20, 6, 6}, 1), w = Operand::random({33, 20, 3, 3}, 2), b = Operand::random({33}, 3),
                scale = Operand::random({33}, 4), shift = Operand::random({33}, 5);
  Operand folded = w, terms = b;
  for (idx i = 0; i < w.size(); ++i) folded[i] = float(double(w[i]) * double(scale[i / 180]));
  for (idx o = 0; o < 33; ++o) terms[o] = float(double(shift[o]) + double(scale[o]) * double(b[o]));
  Operand y(op.shape(x.dims));
  Run({x.in()}, {&w, &b}).norm(scale, shift).into_bfloat16(op, y);
  CHECK(excess(y, convolve(op, x, rounded(folded), terms, nullptr, false), 1e-5) < 1);
}

TEST_CASE("Winograd's convolutions of bfloat16 compute the formula in float32", "[cpu]") {
  for (const auto& [in, out] : {std::pair{64, 64}, {70, 50}, {33, 49}})
    for (const host::Method method : {host::Method::winograd2, host::Method::winograd4}) {
      const ops::Conv2d op{in, out, 1, windows[0]};
      const Operand x = random({2, in, 13, 30}, 1), w = Operand::random({out, in, 3, 3}, 2),
                    b = Operand::random({out}, 3), residual = random({2, out, 13, 30}, 4);
      Operand y(residual.dims);
      Run run({x.in()}, {&w, &b});
      run.forced = method;
      run.call.threads = method == host::Method::winograd2 ? 1 : 3;
      run.add(residual).into_bfloat16(op, y);
      CAPTURE(in, out, method_name(method));
      CHECK(excess(y, convolve(op, x, w, b, &residual, false), 3e-5) < 1);
    }
}

TEST_CASE("transposed convolutions in bfloat16 compute what they do in float32", "[cpu]") {
  unsigned seed = 1;
  for (const int in : channels)
    for (const int out : {1, 17, 32, 100}) {
      const ops::ConvTranspose2d op{in, out, 1, {{3, 2, 1, 1, 1}, {2, 2, 0, 0, 1}}};
      const Operand x = random({2, in, 4, 3}, ++seed), w = random({in, out, 3, 2}, ++seed),
                    b = Operand::random({out}, ++seed), residual = random(op.shape(x.dims), ++seed);
      Operand y(residual.dims), exact(residual.dims);
      Run({x.in()}, {&w, &b}).add(residual).into(op, exact);
      Run({x.in()}, {&w, &b}).add(residual).into_bfloat16(op, y);
      CAPTURE(in, out);
      CHECK(excess(y, values_of(exact), 1e-5) < 1);
    }
}

TEST_CASE("linear layers in bfloat16 compute what they do in float32", "[cpu]") {
  unsigned seed = 1;
  for (const int in : {1, 2, 15, 31, 64, 65, 129, 700})
    for (const int out : {1, 16, 33, 100})
      for (const idx rows : {1, 2, 3, 20}) {
        const ops::Linear op{in, out};
        const Operand x = random({rows, in}, ++seed), w = random({out, in}, ++seed), b = Operand::random({out}, ++seed),
                      residual = Operand::random({rows, out}, ++seed);
        Operand y(residual.dims), exact(residual.dims), parallel(residual.dims);
        Run({x.in()}, {&w, &b}).add(residual).into(op, exact);
        Run({x.in()}, {&w, &b}).add(residual).into_bfloat16(op, y);
        Run run({x.in()}, {&w, &b});
        run.call.threads = 3;
        run.add(residual).into_bfloat16(op, parallel);
        CAPTURE(in, out, rows);
        CHECK(error_of(y, values_of(exact)) < 1e-6);
        CHECK(y.memory == parallel.memory);
      }
}

TEST_CASE("other operations on pairs of bfloat16 round what they compute in float32", "[cpu]") {
  using Kind = ops::Activation::Kind;
  const Operation operations[] = {
      Operation(ops::MaxPool2d{.window = {{3, 2, 1, 1, 1}, {3, 2, 1, 1, 1}}}),
      Operation(ops::AvgPool2d{.window = {{3, 2, 1, 1, 1}, {2, 1, 0, 0, 1}}}),
      Operation(ops::AdaptiveAvgPool2d{2, 3}),
      Operation(ops::Upsample{.scale_height = 2, .scale_width = 2}),
      Operation(ops::Upsample{.scale_height = 2, .scale_width = 2, .mode = ops::Upsample::Mode::bilinear}),
      Operation(ops::Activation{Kind::relu}),
      Operation(ops::Activation{Kind::gelu}),
      Operation(ops::Pad{.pairs = 2, .amounts = {1, 2, 3, 0}, .value = 0.7f}),
      Operation(ops::Binary{ops::Binary::Kind::add}),
      Operation(ops::Binary{ops::Binary::Kind::divide}),
  };
  for (const int c : channels)
    for (const Operation& op : operations) {
      const Operand a = random({2, c, 9, 8}, unsigned(c), 2), b = random({2, c, 9, 8}, unsigned(c) + 1, 1);
      const bool two = is<ops::Binary>(op);
      const Dims dims = std::visit(
          [&](const auto& o) {
            if constexpr (requires { o.shape(a.dims); }) return o.shape(a.dims);
            else return a.dims;
          },
          op);
      Operand y(dims, 3), exact(dims);
      Run(two ? std::vector{a.in(), b.in()} : std::vector{a.in()}).into(op, exact);
      Run(two ? std::vector{a.in(), b.in()} : std::vector{a.in()}).into_bfloat16(op, y);
      CAPTURE(c, name_of(op));
      CHECK(excess(y, values_of(exact), 1e-6) < 1);
    }
}

TEST_CASE("a batch norm on pairs of bfloat16", "[cpu]") {
  for (const int c : channels) {
    const ops::BatchNorm op{.num_features = c};
    const Operand x = random({2, c, 5, 4}, 1), weight = Operand::random({c}, 2), bias = Operand::random({c}, 3),
                  mean = Operand::random({c}, 4), variance = Operand::random({c}, 5, 0, 0.5f, 2);
    Operand y(x.dims), exact(x.dims);
    Run({x.in()}, {&weight, &bias, &mean, &variance}).into(op, exact);
    Run({x.in()}, {&weight, &bias, &mean, &variance}).into_bfloat16(op, y);
    CAPTURE(c);
    CHECK(excess(y, values_of(exact), 1e-6) < 1);
  }
}

TEST_CASE("NaN and infinity go through bfloat16", "[cpu]") {
  const ops::Conv2d op{2, 1, 1, {}};
  Operand x = Operand::of({1, 2, 1, 4}, {1, not_a_number, infinity, 3e38f, 0, 0, 0, 3e38f});
  const Operand w = Operand::of({1, 2, 1, 1}, {1, 1});
  Operand y(Dims{1, 1, 1, 4});
  Run({x.in()}, {&w}).into_bfloat16(op, y);
  CHECK(y[0] == 1);
  CHECK(std::isnan(y[1]));
  CHECK(y[2] == infinity);
  CHECK(y[3] == infinity);
}
