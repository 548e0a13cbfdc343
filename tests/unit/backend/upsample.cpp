/// Resizing. The expected positions come from PyTorch's documented formulas and from numbers computed by hand.
#include "operands.hpp"
#include <cmath>

using namespace backend_test;
using Mode = ops::Upsample::Mode;

namespace {
/// Column numbers that nearest-neighbour resizing of a row 0, 1, 2, ... picks.
std::vector<float> picked(const ops::Upsample& op, idx n) {
  Operand x(Dims{1, 1, 1, n});
  for (idx i = 0; i < n; ++i) x[i] = float(i);
  Operand y(op.shape(x.dims));
  Run({x.in()}).into(op, y);
  return y.memory;
}
}  // namespace

TEST_CASE("nearest neighbours", "[cpu]") {
  CHECK(picked({.scale_height = 1, .scale_width = 2}, 3) == std::vector<float>{0, 0, 1, 1, 2, 2});
  CHECK(picked({.height = 1, .width = 5}, 3) == std::vector<float>{0, 0, 1, 1, 2});
  CHECK(picked({.height = 1, .width = 2}, 5) == std::vector<float>{0, 2});
  CHECK(picked({.scale_height = 1, .scale_width = 0.5}, 7) == std::vector<float>{0, 2, 4});
  // A given factor is used as it is, not the quotient of the extents: 4 * 1.6 = 6.4 -> 6; floor(i / 1.6).
  CHECK(picked({.scale_height = 1, .scale_width = 1.6}, 4) == std::vector<float>{0, 0, 1, 1, 2, 3});
}

TEST_CASE("nearest neighbours as PyTorch's two kernels see a factor that does not divide", "[cpu]") {
  // 5 * 2.1 -> 10 columns. The kernel for small images takes i / 2, the other one floor(i / 2.1), which differs at 2,
  // 4, 6, 8.
  CHECK(picked({.scale_height = 1, .scale_width = 2.1}, 5) == std::vector<float>{0, 0, 1, 1, 2, 2, 3, 3, 4, 4});
  CHECK(picked({.height = 200, .scale_width = 2.1}, 5)[8] == 3);
}

TEST_CASE("nearest neighbours round positions to float32", "[cpu]") {
  for (const auto& [in, out] : {std::pair<idx, int>{8, 3}, {10, 7}, {49, 113}, {7, 300}}) {
    const std::vector<float> at = picked({.height = 1, .width = out}, in);
    const float step = float(in) / float(out);
    for (std::size_t i = 0; i < at.size(); ++i) {
      const volatile float position = float(i) * step;  // volatile: rounded to float32
      CHECK(at[i] == std::fmin(std::floor(position), float(in - 1)));
    }
  }
}

TEST_CASE("bilinear by hand", "[cpu]") {
  const Operand x = Operand::of({1, 1, 2, 2}, {0, 4, 8, 12});
  Operand y(Dims{1, 1, 2, 4});
  Run({x.in()}).into(ops::Upsample{.scale_height = 1, .scale_width = 2, .mode = Mode::bilinear}, y);
  CHECK(y.memory == std::vector<float>{0, 1, 3, 4, 8, 9, 11, 12});
  Operand z(Dims{1, 1, 3, 3});
  Run({x.in()}).into(ops::Upsample{.height = 3, .width = 3, .mode = Mode::bilinear, .align_corners = true}, z);
  CHECK(z.memory == std::vector<float>{0, 2, 4, 4, 6, 8, 8, 10, 12});
  Operand one(Dims{1, 1, 1, 1});
  Run({x.in()}).into(ops::Upsample{.height = 1, .width = 1, .mode = Mode::bilinear, .align_corners = true}, one);
  CHECK(one[0] == 0);  // the corner
  Run({x.in()}).into(ops::Upsample{.height = 1, .width = 1, .mode = Mode::bilinear}, one);
  CHECK(one[0] == 6);  // the centre
}

TEST_CASE("bilinear against its formula, with gaps and many columns", "[cpu]") {
  unsigned seed = 1;
  for (const bool corners : {false, true})
    for (const Dims& to : {Dims{13, 7}, Dims{3, 4}, Dims{9, 700}, Dims{1, 1}, Dims{5, 6}}) {
      const Operand x = Operand::random({2, 3, 5, 6}, ++seed, 4);
      const ops::Upsample op{
          .height = int(to[0]), .width = int(to[1]), .mode = Mode::bilinear, .align_corners = corners};
      Operand y(op.shape(x.dims), 9);
      Run({x.in()}).into(op, y);
      const auto source = [&](idx i, idx in, idx out) {
        if (corners) return out > 1 ? double(i) * double(in - 1) / double(out - 1) : 0.;
        return std::fmax(0, (double(i) + 0.5) * double(in) / double(out) - 0.5);
      };
      std::vector<double> expected;
      for (idx n = 0; n < 2; ++n)
        for (idx c = 0; c < 3; ++c)
          for (idx i = 0; i < to[0]; ++i)
            for (idx j = 0; j < to[1]; ++j) {
              const double v = source(i, 5, to[0]), u = source(j, 6, to[1]);
              const idx a = idx(v), b = idx(u), p = a + (a < 4), q = b + (b < 5);
              const double s = v - double(a), t = u - double(b);
              expected.push_back((1 - s) * ((1 - t) * double(x.at(n, c, a, b)) + t * double(x.at(n, c, a, q))) +
                                 s * ((1 - t) * double(x.at(n, c, p, b)) + t * double(x.at(n, c, p, q))));
            }
      CHECK(error_of(y, expected) < 2e-6);
    }
}

TEST_CASE("resizing to the same extents copies", "[cpu]") {
  const Operand x = Operand::random({2, 2, 5, 6}, 3, 1);
  for (const Mode mode : {Mode::nearest, Mode::bilinear}) {
    Operand y(x.dims);
    Run({x.in()}).into(ops::Upsample{.scale_height = 1.1, .scale_width = 1.1, .mode = mode}, y);  // 5.5 -> 5, 6.6 -> 6
    CHECK(error_of(y, values_of(x)) == 0);
  }
}
