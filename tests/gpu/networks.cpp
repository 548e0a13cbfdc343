/// Every kind of step that becomes a graph of cuDNN, in every precision, against the CPU.
#include "networks.hpp"
#include "emulation/emulation.hpp"
#include "largest_error.hpp"
#include <catch2/catch_template_test_macros.hpp>
#include <lamina/cuda.hpp>

using namespace lamina;

namespace {
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
      for (const double error : {largest_error(std::get<I>(results), materialise(std::get<I>(expected)))...})
        CHECK(error < tolerance(P));
    }
    (std::index_sequence_for<Inputs...>());
  });
  CHECK(emulation::faults().empty());
}
