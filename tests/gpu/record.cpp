/// The record of graphs that the emulation writes for tier C.
#include "emulation/emulation.hpp"
#include "folder.hpp"
#include "networks.hpp"
#include "recorded_graphs.hpp"
#include <catch2/catch_test_macros.hpp>
#include <lamina/cuda.hpp>

using namespace lamina;

namespace {
constexpr CompileOptions options{.precision = Precision::bfloat16};
}

TEST_CASE("a record says what graphs there were") {
  const Folder folder;
  const std::string file = (folder.path / "graphs").string();
  const planning::Plan plan = networks::with_inputs([]<class... Inputs>() {
    return planning::plan_of_type<gpu::Backend, networks::EveryKind, options, Inputs...>();
  });
  std::map<std::string, bool> expected, found;
  emulation::record_graphs(file);
  for (const planning::Step& step : plan.steps) {
    if (step.operands == 0) continue;
    const gpu::Lowered lowered = gpu::lower(step, plan.operands[std::size_t(step.first_operand)], options);
    if (!lowered.possible) continue;
    try {
      static_cast<void>(gpu::make_plan(lowered.graph, gpu::DeviceProperties(0)));
      expected[gpu::text_of(lowered.graph)] = true;
    } catch (const gpu::unsupported_graph&) { expected[gpu::text_of(lowered.graph)] = false; }
  }
  emulation::record_graphs("");
  std::ifstream stream(file);
  for (const recorded::Graph& one : recorded::read(stream)) found[gpu::text_of(one.graph)] = one.taken;
  CHECK(found == expected);
  CHECK(found.size() > 20);
}
