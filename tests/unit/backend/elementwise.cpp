/// Activations and arithmetic of two operands.
#include "operands.hpp"
#include <catch2/catch_approx.hpp>
#include <cmath>

using namespace backend_test;
using Kind = ops::Activation::Kind;

namespace {
double formula(const ops::Activation& op, double x) {
  const double p = double(op.parameter);
  switch (op.kind) {
  case Kind::identity: return x;
  case Kind::relu: return x > 0 ? x : 0;
  case Kind::leaky_relu: return x > 0 ? x : p * x;
  case Kind::sigmoid: return 1 / (1 + std::exp(-x));
  case Kind::tanh: return std::tanh(x);
  case Kind::gelu: return x / 2 * std::erfc(-x / std::sqrt(2.));
  case Kind::gelu_tanh: return x / 2 * (1 + std::tanh(std::sqrt(2 / std::acos(-1.)) * (x + 0.044715 * x * x * x)));
  case Kind::silu: return x / (1 + std::exp(-x));
  case Kind::scale: return p * x;
  case Kind::shift: return x + p;
  }
  return 0;
}
constexpr ops::Activation all[] = {
    {Kind::identity, 0}, {Kind::relu, 0},      {Kind::leaky_relu, 0.01f}, {Kind::sigmoid, 0},   {Kind::tanh, 0},
    {Kind::gelu, 0},     {Kind::gelu_tanh, 0}, {Kind::silu, 0},           {Kind::scale, -1.5f}, {Kind::shift, 0.75f}};

float value(const ops::Activation& op, float x) {
  const Operand in = Operand::of({1}, {x});
  Operand y(Dims{1});
  Run({in.in()}).into(op, y);
  return y[0];
}
}  // namespace

TEST_CASE("activations compute their formulas, also in place and on items that lie apart", "[cpu]") {
  unsigned seed = 1;
  for (const ops::Activation& op : all)
    for (const idx gap : {0, 3})
      for (const Dims& dims : {Dims{3, 5, 7}, Dims{67}, Dims{}, Dims{0, 4}, Dims{4, 0}, Dims{2, 300}}) {
        const Operand x = Operand::random(dims, ++seed, gap, -6, 6);
        std::vector<double> expected;
        for (double v : values_of(x)) expected.push_back(formula(op, v));
        Operand y(dims, gap == 0 ? 0 : 8), same = x;
        Run({x.in()}).into(op, y);
        Run({same.in()}).into(op, same);
        CAPTURE(int(op.kind), seed);
        CHECK(error_of(y, expected, 1) < 2e-7);
        CHECK(error_of(same, expected, 1) < 2e-7);
      }
}

TEST_CASE("activations at the ends of the number range", "[cpu]") {
  for (const ops::Activation& op : all) {
    CAPTURE(int(op.kind));
    CHECK(std::isnan(value(op, not_a_number)));
  }
  CHECK(value({Kind::relu, 0}, -infinity) == 0);
  CHECK(value({Kind::relu, 0}, infinity) == infinity);
  CHECK(value({Kind::leaky_relu, 0.5f}, -infinity) == -infinity);
  CHECK(value({Kind::sigmoid, 0}, -1000) == 0);
  CHECK(value({Kind::sigmoid, 0}, 1000) == 1);
  CHECK(value({Kind::tanh, 0}, -1000) == -1);
  CHECK(value({Kind::gelu, 0}, 100) == 100);
  CHECK(value({Kind::gelu, 0}, -100) == 0);
  CHECK(value({Kind::silu, 0}, 1000) == 1000);
  CHECK(value({Kind::gelu, 0}, 1) ==
        Catch::Approx(0.8413447461).epsilon(1e-6));  // the normal distribution function at 1
}

TEST_CASE("arithmetic with broadcasting", "[cpu]") {
  using Op = ops::Binary::Kind;
  const std::pair<Dims, Dims> operands[] = {{{2, 3, 4, 5}, {2, 3, 4, 5}},
                                            {{2, 3, 4, 5}, {3, 1, 1}},
                                            {{2, 3, 4, 5}, {5}},
                                            {{2, 3, 4, 5}, {1, 3, 1, 5}},
                                            {{2, 1, 4, 1}, {1, 3, 1, 5}},
                                            {{2, 3, 40, 9}, {}},
                                            {{1}, {7}},
                                            {{}, {}},
                                            {{4, 1}, {1, 6}},
                                            {{0, 3}, {3}},
                                            {{2, 3, 4, 5}, {2, 1, 1, 1}},
                                            {{5, 4, 3}, {4, 3}},
                                            {{2, 3, 1, 5}, {2, 3, 4, 5}},
                                            {{1, 1, 1}, {2, 3, 17}},
                                            {{0}, {1}}};
  unsigned seed = 1;
  for (const Op kind : {Op::add, Op::subtract, Op::multiply, Op::divide})
    for (const auto& [p, q] : operands)
      for (const bool swapped : {false, true})
        for (const idx gap : {0, 6}) {
          const ops::Binary op{kind};
          const Dims &da = swapped ? q : p, &db = swapped ? p : q;
          const Operand a = Operand::random(da, ++seed, gap), b = Operand::random(db, ++seed, 2 * gap, 0.5f, 2);
          Operand y(op.shape(da, db), gap == 0 ? 3 : 0);
          Run({a.in(), b.in()}).into(op, y);
          // Element by element through coordinates, aligned at the back.
          std::vector<float> expected;
          for (idx i = 0; i < y.size(); ++i) {
            const auto pick = [&](const Operand& x) {
              idx rest = i, at = 0, step = 1;
              for (int d = y.dims.rank - 1, e = x.dims.rank - 1; e >= 0; rest /= y.dims[d], --d, --e)
                at += (x.dims[e] == 1 ? 0 : rest % y.dims[d]) * step, step *= x.dims[e];
              return x[at];
            };
            const float u = pick(a), v = pick(b);
            expected.push_back(kind == Op::add        ? u + v
                               : kind == Op::subtract ? u - v
                               : kind == Op::multiply ? u * v
                                                      : u / v);
          }
          CAPTURE(seed, int(kind), swapped, gap);
          CHECK(error_of(y, expected) == 0);
        }
}

TEST_CASE("arithmetic over either operand", "[cpu]") {
  const ops::Binary subtract{ops::Binary::Kind::subtract};
  for (const idx gap : {0, 5}) {
    const Operand a = Operand::random({3, 4, 9}, 1, gap), b = Operand::random({3, 4, 9}, 2, gap);
    Operand y(a.dims), first = a, second = b;
    Run({a.in(), b.in()}).into(subtract, y);
    Run({first.in(), b.in()}).into(subtract, first);
    Run({a.in(), second.in()}).into(subtract, second);
    CHECK(error_of(first, values_of(y)) == 0);
    CHECK(error_of(second, values_of(y)) == 0);
    const Operand channel = Operand::random({4, 1}, 3);
    Operand stretched(a.dims), over = a;
    Run({a.in(), channel.in()}).into(subtract, stretched);
    Run({over.in(), channel.in()}).into(subtract, over);
    CHECK(error_of(over, values_of(stretched)) == 0);
  }
}

TEST_CASE("a stretched negative zero keeps its sign", "[cpu]") {
  const Operand one = Operand::of({2}, {1, 1}), zero = Operand::of({1}, {-0.f});
  Operand y(Dims{2});
  Run({one.in(), zero.in()}).into(ops::Binary{ops::Binary::Kind::divide}, y);
  CHECK(y[0] == -infinity);
  CHECK(y[1] == -infinity);
}

TEST_CASE("arithmetic that stretches pixels of blocked tensors is that of planar ones", "[cpu]") {
  const std::pair<Dims, Dims> operands[] = {{{2, 20, 3, 5}, {2, 20, 1, 1}}, {{2, 20, 3, 5}, {1, 20, 1, 1}},
                                            {{2, 20, 3, 5}, {1, 20, 3, 5}}, {{2, 20, 3, 5}, {2, 20, 3, 1}},
                                            {{2, 20, 3, 5}, {1, 20, 1, 5}}, {{2, 20, 3, 1}, {2, 20, 1, 5}},
                                            {{3, 32, 4, 4}, {3, 32, 1, 1}}, {{0, 20, 2, 2}, {1, 20, 1, 1}}};
  unsigned seed = 1;
  for (const ops::Binary::Kind kind : {ops::Binary::Kind::subtract, ops::Binary::Kind::multiply})
    for (const auto& [p, q] : operands)
      for (const bool swapped : {false, true})
        for (const idx gap : {0, 16}) {
          const ops::Binary op{kind};
          const Operand a = Operand::random(swapped ? q : p, ++seed), b = Operand::random(swapped ? p : q, ++seed);
          Operand planar(op.shape(a.dims, b.dims));
          Run({a.in(), b.in()}).into(op, planar);
          const BlockedOperand from_a(a, gap), from_b(b, 2 * gap);
          BlockedOperand y(planar.dims, gap);
          Run({from_a.in(), from_b.in()}).into(op, y);
          CAPTURE(seed, swapped, gap);
          CHECK(error_of(y, values_of(planar)) == 0);
        }
}
