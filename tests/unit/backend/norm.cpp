/// Normalisations against two-pass sums in double precision, and the laws they are made for.
#include "operands.hpp"
#include <cmath>

using namespace backend_test;

namespace {
struct Moments {
  double mean, variance;
};
Moments moments(const std::vector<double>& v) {
  double mean = 0, variance = 0;
  for (double x : v) mean += x / double(v.size());
  for (double x : v) variance += (x - mean) * (x - mean) / double(v.size());
  return {mean, variance};
}
/// The elements of x for which `belongs(n, c)` holds, x as [N, C, rest].
template <class F> std::vector<double> collect(const Operand& x, F belongs) {
  const idx inner = product(x.dims, 2, x.dims.rank);
  std::vector<double> v;
  for (idx i = 0; i < x.size(); ++i)
    if (belongs(i / inner / x.dims[1], i / inner % x.dims[1])) v.push_back(double(x[i]));
  return v;
}
}  // namespace

TEST_CASE("batch_norm with running statistics, absent parameters, gaps and in place", "[cpu]") {
  unsigned seed = 1;
  for (const Dims& dims : {Dims{4, 6}, Dims{2, 6, 5}, Dims{2, 6, 3, 7}, Dims{0, 6, 2, 2}})
    for (const bool affine : {false, true})
      for (const idx gap : {0, 11}) {
        const ops::BatchNorm op{.num_features = 6, .eps = 1e-3, .affine = affine};
        const Operand x = Operand::random(dims, ++seed, gap), w = Operand::random({6}, ++seed),
                      b = Operand::random({6}, ++seed);
        const Operand mean = Operand::random({6}, ++seed), var = Operand::random({6}, ++seed, 0, 0.1f, 2);
        const idx inner = product(dims, 2, dims.rank);
        std::vector<double> expected;
        for (idx i = 0; i < x.size(); ++i) {
          const idx c = i / inner % 6;
          const double v = (double(x[i]) - double(mean[c])) / std::sqrt(double(var[c]) + op.eps);
          expected.push_back(affine ? v * double(w[c]) + double(b[c]) : v);
        }
        Operand y(dims, 2 * gap), same = x;
        Run({x.in()}, {affine ? &w : nullptr, affine ? &b : nullptr, &mean, &var}).into(op, y);
        Run({same.in()}, {affine ? &w : nullptr, affine ? &b : nullptr, &mean, &var}).into(op, same);
        CHECK(error_of(y, expected) < 5e-7);
        CHECK(error_of(same, expected) < 5e-7);
      }
}

TEST_CASE("batch_norm with the batch's statistics", "[cpu]") {
  unsigned seed = 50;
  for (const Dims& dims : {Dims{40, 3}, Dims{5, 3, 9}, Dims{2, 3, 13, 11}})
    for (const float offset : {0.f, 1000.f}) {
      const ops::BatchNorm op{.num_features = 3, .tracked = false};
      const Operand x = Operand::random(dims, ++seed, 4, offset - 1, offset + 1), w = Operand::random({3}, ++seed),
                    b = Operand::random({3}, ++seed);
      std::vector<Moments> of;
      for (idx c = 0; c < 3; ++c) of.push_back(moments(collect(x, [c](idx, idx channel) { return channel == c; })));
      std::vector<double> expected;
      const idx inner = product(dims, 2, dims.rank);
      for (idx i = 0; i < x.size(); ++i) {
        const idx c = i / inner % 3;
        expected.push_back((double(x[i]) - of[std::size_t(c)].mean) / std::sqrt(of[std::size_t(c)].variance + op.eps) *
                               double(w[c]) +
                           double(b[c]));
      }
      Operand y(dims), same = x;
      Run({x.in()}, {&w, &b}).into(op, y);
      Run({same.in()}, {&w, &b}).into(op, same);
      // Far from zero the inputs' own spacing of 6e-5 counts against a spread of 0.6.
      CHECK(error_of(y, expected) < (offset == 0 ? 1e-6 : 1e-4));
      CHECK(error_of(same, values_of(y)) == 0);
    }
}

TEST_CASE("layer_norm over the last dimensions", "[cpu]") {
  unsigned seed = 100;
  for (const auto& [dims, normalized] : {std::pair<Dims, Dims>{{2, 5, 11}, {11}},
                                         {{3, 4, 5}, {4, 5}},
                                         {{7}, {7}},
                                         {{2, 3}, {2, 3}},
                                         {{4, 300}, {300}},
                                         {{0, 3}, {3}}})
    for (const bool affine : {false, true}) {
      const ops::LayerNorm op{.normalized = normalized};
      const idx size = count(normalized);
      const Operand x = Operand::random(dims, ++seed), w = Operand::random(normalized, ++seed),
                    b = Operand::random(normalized, ++seed);
      std::vector<double> expected;
      const auto values = values_of(x);
      for (idx i = 0; i < x.size(); i += size) {
        const std::vector<double> row(values.begin() + i, values.begin() + i + size);
        const auto [mean, variance] = moments(row);
        for (idx k = 0; k < size; ++k) {
          const double v = (row[std::size_t(k)] - mean) / std::sqrt(variance + op.eps);
          expected.push_back(affine ? v * double(w[k]) + double(b[k]) : v);
        }
      }
      Operand y(dims);
      Run({x.in()}, {affine ? &w : nullptr, affine ? &b : nullptr}).into(op, y);
      CHECK(error_of(y, expected) < 1e-6);
    }
}

TEST_CASE("group_norm over groups of channels", "[cpu]") {
  unsigned seed = 200;
  for (const Dims& dims : {Dims{2, 6, 3, 5}, Dims{3, 6}, Dims{2, 6, 9}})
    for (const int groups : {1, 2, 6})
      for (const idx gap : {0, 9}) {
        const ops::GroupNorm op{.groups = groups, .num_channels = 6};
        const idx inner = product(dims, 2, dims.rank), channels = 6 / groups;
        const Operand x = Operand::random(dims, ++seed, gap), w = Operand::random({6}, ++seed),
                      b = Operand::random({6}, ++seed);
        std::vector<double> expected;
        for (idx i = 0; i < x.size(); ++i) {
          const idx item = i / inner / 6, c = i / inner % 6;
          const auto [mean, variance] =
              moments(collect(x, [&](idx n, idx o) { return n == item && o / channels == c / channels; }));
          expected.push_back((double(x[i]) - mean) / std::sqrt(variance + op.eps) * double(w[c]) + double(b[c]));
        }
        Operand y(dims, 3 * gap);
        Run({x.in()}, {&w, &b}).into(op, y);
        CHECK(error_of(y, expected) < 1e-6);
      }
}

TEST_CASE("group_norm of blocked tensors is that of planar ones", "[cpu]") {
  unsigned seed = 300;
  for (const auto& [channels, groups] : {std::pair<int, int>{64, 32}, {64, 2}, {32, 1}, {20, 5}, {96, 3}, {12, 12}})
    for (const idx gap : {0, 16}) {
      const ops::GroupNorm op{.groups = groups, .num_channels = channels};
      REQUIRE(host::suits_blocks(op));
      const Operand x = Operand::random({2, channels, 5, 3}, ++seed), w = Operand::random({channels}, ++seed),
                    b = Operand::random({channels}, ++seed);
      const BlockedOperand from(x, gap);
      Operand planar(x.dims);
      BlockedOperand y(x.dims, 2 * gap);
      Run({x.in()}, {&w, &b}).into(op, planar);
      Run({from.in()}, {&w, &b}).into(op, y);
      CHECK(error_of(y, values_of(planar)) < 5e-7);
    }
  STATIC_CHECK_FALSE(host::suits_blocks(ops::GroupNorm{.groups = 2, .num_channels = 12}));
}

TEST_CASE("group_norm with one group is layer_norm, with one channel a group it normalises planes", "[cpu]") {
  const Operand x = Operand::random({2, 4, 5, 3}, 1);
  Operand group(x.dims), layer(x.dims), planes(x.dims);
  Run({x.in()}).into(ops::GroupNorm{1, 4}, group);
  Run({x.in()}).into(ops::LayerNorm{{4, 5, 3}}, layer);
  CHECK(error_of(group, values_of(layer)) == 0);
  Run({x.in()}).into(ops::GroupNorm{4, 4}, planes);
  const auto [mean, variance] = moments(collect(planes, [](idx n, idx c) { return n == 1 && c == 2; }));
  CHECK(std::fabs(mean) < 1e-6);
  CHECK(std::fabs(variance - 1) < 1e-3);
}

TEST_CASE("normalising is invariant to the scale of its input", "[cpu]") {
  const Operand x = Operand::random({4, 3, 6, 6}, 1);
  Operand larger = x, y(x.dims), z(x.dims);
  for (idx i = 0; i < x.size(); ++i) larger[i] = 1024 * x[i];
  const ops::BatchNorm op{.num_features = 3, .eps = 0, .affine = false, .tracked = false};
  Run({x.in()}).into(op, y);
  Run({larger.in()}).into(op, z);
  CHECK(error_of(z, values_of(y)) < 1e-6);
}
