/// Every kind of step that becomes a graph of cuDNN, in every precision, against the CPU.
#include "networks.hpp"
#include "emulation/emulation.hpp"
#include "full_size/hashed_weights.hpp"
#include <catch2/catch_template_test_macros.hpp>
#include <cmath>
#include <lamina/cuda.hpp>

using namespace lamina;

namespace {
template <class Input> Tensor<float, Input> filled() {
  Tensor<float, Input> x;
  for (idx i = 0; i < x.size(); ++i) x.data()[i] = 2 * full_size::uniform(17, std::uint64_t(i)) - 1;
  return x;
}
/// The largest error, as a part of the largest element; infinite where an element is no number.
template <class T> double error_of(const T& y, const T& expected) {
  double error = 0, scale = 0;
  for (idx i = 0; i < y.size(); ++i) {
    if (!std::isfinite(y.data()[i])) return HUGE_VAL;
    error = std::max(error, double(std::abs(y.data()[i] - expected.data()[i])));
    scale = std::max(scale, double(std::abs(expected.data()[i])));
  }
  return error / scale;
}
/// Of 24, 11, 11 and 8 bits of mantissa.
constexpr double tolerance(Precision precision) {
  return precision == Precision::float32 ? 1e-5 : precision == Precision::bfloat16 ? 0.06 : 0.01;
}
}  // namespace

TEMPLATE_TEST_CASE_SIG("every kind of step gives what the CPU gives", "", ((Precision P), P), Precision::float32,
                       Precision::tensorfloat32, Precision::float16, Precision::bfloat16) {
  networks::EveryKind net;
  full_size::fill(net);
  networks::with_inputs([&]<class... Inputs>() {
    const std::tuple inputs(filled<Inputs>()...);
    const auto expected = std::apply([&](const auto&... x) { return net(x...); }, inputs);
    const auto engine = compile<CompileOptions{.precision = P}, Inputs...>(net, cuda{0});
    const auto results = std::apply([&](const auto&... x) { return engine(x...); }, inputs);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      for (const double error : {error_of(std::get<I>(results), materialise(std::get<I>(expected)))...})
        CHECK(error < tolerance(P));
    }
    (std::index_sequence_for<Inputs...>());
  });
  CHECK(emulation::faults().empty());
}
