/// Pooling: cases counted by hand, and the definitions element by element.
#include "operands.hpp"
#include <cmath>

using namespace backend_test;

namespace {
/// The window's elements at output (i, j), those outside the input left out.
std::vector<double> window(const ops::Window2d& w, const Operand& x, idx n, idx c, idx i, idx j) {
  std::vector<double> v;
  for (idx p = 0; p < w.height.kernel; ++p)
    for (idx q = 0; q < w.width.kernel; ++q) {
      const idx a = i * w.height.stride - w.height.before + p * w.height.dilation,
                b = j * w.width.stride - w.width.before + q * w.width.dilation;
      if (a >= 0 && a < x.dims[2] && b >= 0 && b < x.dims[3]) v.push_back(double(x.at(n, c, a, b)));
    }
  return v;
}
template <class F> std::vector<double> each_output(const Dims& y, F f) {
  std::vector<double> v;
  for (idx n = 0; n < y[0]; ++n)
    for (idx c = 0; c < y[1]; ++c)
      for (idx i = 0; i < y[2]; ++i)
        for (idx j = 0; j < y[3]; ++j) v.push_back(f(n, c, i, j));
  return v;
}
const ops::Window2d windows[] = {
    {{2, 2, 0, 0, 1}, {2, 2, 0, 0, 1}}, {{3, 2, 1, 1, 1}, {3, 2, 1, 1, 1}}, {{3, 1, 1, 1, 1}, {3, 1, 1, 1, 1}},
    {{3, 1, 1, 1, 2}, {2, 2, 0, 0, 1}}, {{2, 3, 1, 1, 3}, {3, 2, 0, 0, 2}}, {{1, 1, 0, 0, 1}, {5, 4, 2, 2, 1}},
};
}  // namespace

TEST_CASE("max_pool2d takes the largest element under the window", "[cpu]") {
  unsigned seed = 1;
  for (const ops::Window2d& w : windows)
    for (const bool ceil_mode : {false, true})
      for (const idx gap : {0, 7}) {
        const ops::MaxPool2d op{w, ceil_mode};
        const Operand x =
            Operand::random({2, 3, 9, 8}, ++seed, gap, -2, -1);  // all below the zeros of a careless padding
        Operand y(op.shape(x.dims), 2 * gap);
        Run({x.in()}).into(op, y);
        CHECK(error_of(y, each_output(y.dims, [&](idx n, idx c, idx i, idx j) {
                         double most = -double(infinity);
                         for (double v : window(w, x, n, c, i, j)) most = std::fmax(most, v);
                         return most;
                       })) == 0);
      }
}

TEST_CASE("max_pool2d passes NaN on", "[cpu]") {
  const ops::MaxPool2d op{{{.kernel = 2}, {.kernel = 2}}};
  const Operand x = Operand::of({1, 1, 2, 4}, {1, not_a_number, 3, 4, 5, 6, 7, -infinity});
  Operand y(op.shape(x.dims));
  Run({x.in()}).into(op, y);
  CHECK(std::isnan(y[0]));
  CHECK(std::isnan(y[1]));
  CHECK(y[2] == 7);
}

TEST_CASE("avg_pool2d divides by the window, by its part inside, or by a number", "[cpu]") {
  // 3x3 of ones, windows of 2x2 with stride 2 and padding 1: one element of the input in the first window, two in the
  // next.
  const Operand ones = Operand::of({1, 1, 3, 3}, std::vector<float>(9, 1.f));
  ops::AvgPool2d op{{{2, 2, 1, 1, 1}, {2, 2, 1, 1, 1}}};
  Operand y(op.shape(ones.dims));
  REQUIRE(y.dims == Dims{1, 1, 2, 2});
  Run({ones.in()}).into(op, y);
  CHECK(y.memory == std::vector<float>{.25f, .5f, .5f, 1});
  op.count_include_pad = false;
  Run({ones.in()}).into(op, y);
  CHECK(y.memory == std::vector<float>{1, 1, 1, 1});
  op.divisor = 8;
  Run({ones.in()}).into(op, y);
  CHECK(y.memory == std::vector<float>{.125f, .25f, .25f, .5f});
}

TEST_CASE("avg_pool2d in ceil_mode counts no elements beyond the padding", "[cpu]") {
  // Extent 4, kernel 3, stride 2, ceil_mode: the second window covers the elements 2 and 3 only.
  const Operand x = Operand::of({1, 1, 1, 4}, {1, 2, 3, 5});
  const ops::AvgPool2d op{{{.kernel = 1}, {.kernel = 3, .stride = 2}}, true};
  Operand y(op.shape(x.dims));
  Run({x.in()}).into(op, y);
  CHECK(y.memory == std::vector<float>{2, 4});
  const Operand column = Operand::of({1, 1, 4, 1}, {1, 2, 3, 5});
  Operand z(Dims{1, 1, 2, 1});
  Run({column.in()}).into(ops::AvgPool2d{{{.kernel = 3, .stride = 2}, {.kernel = 1}}, true}, z);
  CHECK(z.memory == std::vector<float>{2, 4});
}

TEST_CASE("avg_pool2d is the mean under the window", "[cpu]") {
  unsigned seed = 50;
  for (ops::Window2d w : windows) {
    w.height.dilation = w.width.dilation = 1;
    for (const bool ceil_mode : {false, true}) {
      const ops::AvgPool2d op{w, ceil_mode, false};
      const Operand x = Operand::random({2, 3, 9, 8}, ++seed, 5);
      Operand y(op.shape(x.dims), 3);
      Run({x.in()}).into(op, y);
      CHECK(error_of(y, each_output(y.dims, [&](idx n, idx c, idx i, idx j) {
                       const auto v = window(w, x, n, c, i, j);
                       double sum = 0;
                       for (double e : v) sum += e;
                       return sum / double(v.size());
                     })) < 1e-6);
    }
  }
}

TEST_CASE("adaptive_avg_pool2d covers floor(i H / h) to ceil((i + 1) H / h)", "[cpu]") {
  const Operand row = Operand::of({1, 1, 1, 5}, {1, 2, 4, 8, 16});
  Operand y(Dims{1, 1, 1, 3});
  Run({row.in()}).into(ops::AdaptiveAvgPool2d{none, 3}, y);  // [0, 2), [1, 4), [3, 5)
  CHECK(y.memory == std::vector<float>{1.5f, float(14. / 3), 12});
  Operand longer(Dims{1, 1, 1, 7});
  Run({row.in()}).into(ops::AdaptiveAvgPool2d{1, 7}, longer);  // [0,1) [0,2) [1,3) [2,3) [2,4) [3,5) [4,5)
  CHECK(longer.memory == std::vector<float>{1, 1.5f, 3, 4, 6, 12, 16});
  const Operand column = Operand::of({1, 1, 5, 1}, row.memory);
  Operand lower(Dims{1, 1, 3, 1});
  Run({column.in()}).into(ops::AdaptiveAvgPool2d{3, none}, lower);
  CHECK(lower.memory == y.memory);
  // To one element it is the mean, also of many elements far from zero.
  const Operand x = Operand::random({2, 3, 120, 110}, 9, 17, 1000, 1001);
  Operand one(Dims{2, 3, 1, 1}, 1);
  Run({x.in()}).into(ops::AdaptiveAvgPool2d{}, one);
  CHECK(error_of(one, each_output(one.dims, [&](idx n, idx c, idx, idx) {
                   double sum = 0;
                   for (idx i = 0; i < 120 * 110; ++i) sum += double(x[(n * 3 + c) * 120 * 110 + i]);
                   return sum / (120 * 110);
                 })) < 1e-7);
}
