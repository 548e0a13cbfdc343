/// Linear layers and matrix products against the formula in double precision.
#include "operands.hpp"

using namespace backend_test;

namespace {
std::vector<double> apply(const ops::Linear& op, const Operand& x, const Operand& w, const Operand* bias) {
  std::vector<double> y;
  for (idx i = 0; i < x.size() / op.in_features; ++i)
    for (idx o = 0; o < op.out_features; ++o) {
      double sum = bias ? double((*bias)[o]) : 0;
      for (idx k = 0; k < op.in_features; ++k)
        sum += double(x[i * op.in_features + k]) * double(w[o * op.in_features + k]);
      y.push_back(sum);
    }
  return y;
}

/// Sums over the last dimension of a and the last but one of b; batch numbers are found by comparing extents from the
/// back.
std::vector<double> multiply(const Operand& a, const Operand& b, const Dims& y) {
  const auto batch = [&](const Operand& x, idx number) {
    idx at = 0, step = 1;
    for (int d = y.rank - 3, e = x.dims.rank - 3; d >= 0; number /= y[d], --d, --e)
      if (e >= 0) at += (x.dims[e] == 1 ? 0 : number % y[d]) * step, step *= x.dims[e];
    return at;
  };
  const idx m = y[y.rank - 2], n = y[y.rank - 1], k = a.dims[a.dims.rank - 1];
  std::vector<double> r;
  for (idx p = 0; p < product(y, 0, y.rank - 2); ++p)
    for (idx i = 0; i < m; ++i)
      for (idx j = 0; j < n; ++j) {
        double sum = 0;
        for (idx l = 0; l < k; ++l)
          sum += double(a[(batch(a, p) * m + i) * k + l]) * double(b[(batch(b, p) * k + l) * n + j]);
        r.push_back(sum);
      }
  return r;
}
}  // namespace

TEST_CASE("linear computes its formula", "[cpu]") {
  unsigned seed = 1;
  for (const Dims& x : {Dims{7}, Dims{1, 7}, Dims{3, 7}, Dims{2, 5, 7}, Dims{2, 3, 2, 7}, Dims{1, 517}, Dims{7, 300},
                        Dims{9, 300}, Dims{600, 33}})
    for (const int outs : {1, 5, 130})
      for (const bool with_bias : {false, true}) {
        const ops::Linear op{int(x[x.rank - 1]), outs};
        const Operand in = Operand::random(x, ++seed), w = Operand::random({outs, x[x.rank - 1]}, ++seed),
                      b = Operand::random({outs}, ++seed);
        Operand y(op.shape(x));
        Run({in.in()}, {&w, with_bias ? &b : nullptr}).into(op, y);
        CAPTURE(seed, outs);
        CHECK(error_of(y, apply(op, in, w, with_bias ? &b : nullptr), 4) < 1e-6);
      }
}

TEST_CASE("a linear layer's epilogue is bias, batch norm, residual, activation in this order", "[cpu]") {
  unsigned seed = 100;
  for (const Dims& x : {Dims{1, 7}, Dims{3, 7}, Dims{20, 7}})
    for (const bool in_place : {false, true}) {
      const ops::Linear op{7, 6};
      const idx channels = op.shape(x)[1];
      const Operand in = Operand::random(x, ++seed), w = Operand::random({6, 7}, ++seed),
                    b = Operand::random({6}, ++seed);
      const Operand scale = Operand::random({channels}, ++seed), shift = Operand::random({channels}, ++seed);
      const Operand residual = Operand::random(op.shape(x), ++seed);
      auto expected = apply(op, in, w, &b);
      for (idx i = 0; i < residual.size(); ++i) {
        double& v = expected[std::size_t(i)];
        v = v * double(scale[i % channels]) + double(shift[i % channels]) + double(residual[i]);
        v = v > 0 ? v : 0;
      }
      Operand y = residual;
      Run run({in.in()}, {&w, &b});
      run.add(in_place ? y : residual);
      run.norm(scale, shift);
      run.call.epilogue.activation.kind = ops::Activation::Kind::relu;
      run.into(op, y);
      CAPTURE(seed);
      CHECK(error_of(y, expected) < 1e-6);
    }
}

TEST_CASE("linear is linear", "[cpu]") {
  const ops::Linear op{40, 30};
  const Operand x = Operand::random({11, 40}, 1), z = Operand::random({11, 40}, 2), w = Operand::random({30, 40}, 3);
  Operand sum = x, fx(op.shape(x.dims)), fz(fx.dims), fsum(fx.dims);
  for (idx i = 0; i < x.size(); ++i) sum[i] = 2 * x[i] - z[i];
  Run({x.in()}, {&w}).into(op, fx);
  Run({z.in()}, {&w}).into(op, fz);
  Run({sum.in()}, {&w}).into(op, fsum);
  std::vector<double> expected;
  for (idx i = 0; i < fx.size(); ++i) expected.push_back(2 * double(fx[i]) - double(fz[i]));
  CHECK(error_of(fsum, expected) < 2e-6);
}

TEST_CASE("linear of nothing", "[cpu]") {
  const Operand x(Dims{0, 7}), w = Operand::random({5, 7}, 1);
  Operand y(Dims{0, 5});
  Run({x.in()}, {&w}).into(ops::Linear{7, 5}, y);
  // Without inputs to sum over, only the bias is left.
  const Operand empty(Dims{9, 0}), none_at_all(Dims{2, 0}), b = Operand::of({2}, {3, 4});
  Operand z(Dims{9, 2});
  Run({empty.in()}, {&none_at_all, &b}).into(ops::Linear{0, 2}, z);
  CHECK(z[0] == 3);
  CHECK(z[17] == 4);
}

TEST_CASE("matmul computes its formula, with broadcasting", "[cpu]") {
  const std::pair<Dims, Dims> operands[] = {{{2, 3}, {3, 4}},
                                            {{1, 1}, {1, 1}},
                                            {{5, 2, 3}, {5, 3, 4}},
                                            {{5, 2, 3}, {3, 4}},
                                            {{2, 3}, {5, 3, 4}},
                                            {{2, 1, 4, 3}, {6, 3, 2}},
                                            {{70, 300}, {300, 50}},
                                            {{2, 5, 7, 40}, {2, 5, 40, 33}},
                                            {{1, 20}, {20, 1}},
                                            {{3, 0}, {0, 2}},
                                            {{0, 3}, {3, 2}},
                                            {{600, 5}, {5, 3}},
                                            {{3, 1, 2, 9}, {1, 4, 9, 5}}};
  unsigned seed = 200;
  for (const auto& [a, b] : operands) {
    const ops::Matmul op;
    REQUIRE(op.check(a, b).empty());
    const Operand x = Operand::random(a, ++seed), z = Operand::random(b, ++seed);
    Operand y(op.shape(a, b));
    Run({x.in(), z.in()}).into(op, y);
    CAPTURE(seed);
    CHECK(error_of(y, multiply(x, z, y.dims), 4) < 1e-6);
  }
}

TEST_CASE("matmul is associative", "[cpu]") {
  const Operand a = Operand::random({20, 30}, 1), b = Operand::random({30, 40}, 2), c = Operand::random({40, 10}, 3);
  Operand ab(Dims{20, 40}), bc(Dims{30, 10}), left(Dims{20, 10}), right(Dims{20, 10});
  Run({a.in(), b.in()}).into(ops::Matmul{}, ab);
  Run({b.in(), c.in()}).into(ops::Matmul{}, bc);
  Run({ab.in(), c.in()}).into(ops::Matmul{}, left);
  Run({a.in(), bc.in()}).into(ops::Matmul{}, right);
  CHECK(error_of(left, values_of(right)) < 2e-6);
}
