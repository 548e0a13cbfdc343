/// Softmax and losses.
#include "operands.hpp"
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>

using namespace backend_test;

namespace {
std::vector<double> log_softmax(const Operand& x, int axis) {
  const idx inner = product(x.dims, axis + 1, x.dims.rank), size = x.dims[axis];
  std::vector<double> y(std::size_t(x.size()));
  for (idx i = 0; i < x.size(); ++i) {
    const idx start = i / (size * inner) * size * inner + i % inner;
    double sum = 0;
    for (idx c = 0; c < size; ++c) sum += std::exp(double(x[start + c * inner]));
    y[std::size_t(i)] = double(x[i]) - std::log(sum);
  }
  return y;
}
float reduced(const Operation& op, const host::Input& x, const host::Input& t) {
  Operand y{Dims{}};
  Run({x, t}).into(op, y);
  return y[0];
}
}  // namespace

TEST_CASE("softmax along every dimension; its sums are one", "[cpu]") {
  const Operand x = Operand::random({3, 5, 4, 70}, 1, 0, -3, 3);
  for (int dim = -4; dim < 4; ++dim) {
    const int axis = wrap_dim(dim, 4);
    Operand y(x.dims), z(x.dims);
    Run({x.in()}).into(ops::Softmax{dim, false}, y);
    Run({x.in()}).into(ops::Softmax{dim, true}, z);
    auto expected = log_softmax(x, axis);
    CHECK(error_of(z, expected) < 1e-6);
    for (double& v : expected) v = std::exp(v);
    CHECK(error_of(y, expected) < 1e-6);
    const idx inner = product(x.dims, axis + 1, 4), size = x.dims[axis];
    double worst = 0;
    for (idx i = 0; i < x.size(); ++i) {
      if (i / inner % size != 0) continue;
      double sum = 0;
      for (idx c = 0; c < size; ++c) sum += double(y[i + c * inner]);
      worst = std::fmax(worst, std::fabs(sum - 1));
    }
    CHECK(worst < 1e-6);
  }
}

TEST_CASE("softmax of extreme inputs", "[cpu]") {
  const Operand x = Operand::of({3, 3}, {1000, 1000, -1000, -infinity, 0, -infinity, -3e38f, 3e38f, 0});
  Operand y(x.dims), z(x.dims);
  Run({x.in()}).into(ops::Softmax{}, y);
  CHECK(y.memory == std::vector<float>{.5f, .5f, 0, 0, 1, 0, 0, 1, 0});
  Run({x.in()}).into(ops::Softmax{-1, true}, z);
  CHECK(z[2] == -2000 - std::log(2.f));
  CHECK(z[3] == -infinity);
  CHECK(z[4] == 0);
  const Operand bad = Operand::of({2, 2}, {not_a_number, 1, -infinity, -infinity});
  Operand w(bad.dims);
  Run({bad.in()}).into(ops::Softmax{}, w);
  for (idx i = 0; i < 4; ++i) CHECK(std::isnan(w[i]));
  Operand nothing(Dims{0, 3});
  Run({nothing.in()}).into(ops::Softmax{0}, nothing);
}

TEST_CASE("losses of pairs", "[cpu]") {
  using Kind = ops::PairLoss::Kind;
  const Operand x = Operand::of({2, 2}, {1, -2, 3, 0}), t = Operand::of({2, 2}, {0, 1, 1, 0});
  CHECK(reduced(ops::PairLoss{Kind::mse}, x.in(), t.in()) == 3.5f);
  CHECK(reduced(ops::PairLoss{Kind::mse, ops::Reduction::sum}, x.in(), t.in()) == 14);
  CHECK(reduced(ops::PairLoss{Kind::l1}, x.in(), t.in()) == 1.5f);
  Operand each(x.dims);
  Run({x.in(), t.in()}).into(ops::PairLoss{Kind::bce_with_logits, ops::Reduction::none}, each);
  const double expected[] = {std::log1p(std::exp(1.)), 2 + std::log1p(std::exp(-2.)), std::log1p(std::exp(-3.)),
                             std::log(2.)};
  CHECK(error_of(each, expected) < 1e-7);
  const Operand far = Operand::of({2}, {1000, -1000}), label = Operand::of({2}, {1, 1});
  CHECK(reduced(ops::PairLoss{Kind::bce_with_logits, ops::Reduction::sum}, far.in(), label.in()) == 1000);
  const Operand nothing(Dims{0});
  CHECK(std::isnan(reduced(ops::PairLoss{}, nothing.in(), nothing.in())));
  CHECK(reduced(ops::PairLoss{Kind::mse, ops::Reduction::sum}, nothing.in(), nothing.in()) == 0);
}

TEST_CASE("cross_entropy is the negative log_softmax at the target", "[cpu]") {
  for (const Dims& dims : {Dims{6, 5}, Dims{2, 5, 3}, Dims{2, 5, 3, 4}})
    for (const double smoothing : {0., 0.1}) {
      const Operand x = Operand::random(dims, 7, 0, -4, 4);
      const idx inner = product(dims, 2, dims.rank);
      Dims of;
      for (int i = 0; i < dims.rank; ++i)
        if (i != 1) of.extent[of.rank++] = dims[i];
      Targets t{of, {}};
      for (idx i = 0; i < count(of); ++i) t.memory.push_back(i % 4 == 3 ? -100 : i * 7 % 5);
      const auto logs = log_softmax(x, 1);
      std::vector<double> expected;
      double sum = 0, counted = 0;
      for (idx i = 0; i < count(of); ++i) {
        const std::int64_t target = t.memory[std::size_t(i)];
        double l = 0;
        if (target >= 0) {
          ++counted;
          for (idx c = 0; c < 5; ++c)
            l -= ((c == target) * (1 - smoothing) + smoothing / 5) *
                 logs[std::size_t((i / inner * 5 + c) * inner + i % inner)];
        }
        expected.push_back(l), sum += l;
      }
      Operand each(of);
      Run({x.in(), t.in()}).into(ops::CrossEntropy{ops::Reduction::none, -100, smoothing}, each);
      CHECK(error_of(each, expected) < 1e-6);
      CHECK(std::fabs(double(reduced(ops::CrossEntropy{ops::Reduction::mean, -100, smoothing}, x.in(), t.in())) -
                      sum / counted) < 1e-6);
      CHECK(std::fabs(double(reduced(ops::CrossEntropy{ops::Reduction::sum, -100, smoothing}, x.in(), t.in())) - sum) <
            1e-5);
    }
}

TEST_CASE("cross_entropy at its limits", "[cpu]") {
  const Operand x = Operand::of({2, 3}, {0, 0, 0, 1000, 0, -infinity});
  const Targets ignored{{2}, {-100, -100}}, likely{{2}, {1, 0}};
  CHECK(std::isnan(reduced(ops::CrossEntropy{}, x.in(), ignored.in())));
  CHECK(reduced(ops::CrossEntropy{ops::Reduction::sum}, x.in(), ignored.in()) == 0);
  CHECK(reduced(ops::CrossEntropy{ops::Reduction::sum}, x.in(), likely.in()) == float(std::log(3.)));
  const Targets ignoring_class{{2}, {1, 1}};
  CHECK(std::isnan(reduced(ops::CrossEntropy{.ignore_index = 1}, x.in(), ignoring_class.in())));
}

TEST_CASE("cross_entropy refuses targets that are no class", "[cpu]") {
  using Catch::Matchers::ContainsSubstring, Catch::Matchers::MessageMatches;
  const Operand x = Operand::random({2, 3}, 1);
  for (const std::int64_t bad : {std::int64_t(3), std::int64_t(-1), std::int64_t(1) << 40}) {
    const Targets t{{2}, {0, bad}};
    CHECK_THROWS_MATCHES(
        reduced(ops::CrossEntropy{}, x.in(), t.in()), error,
        MessageMatches(ContainsSubstring("target " + std::to_string(bad)) && ContainsSubstring("3 classes")));
  }
}
