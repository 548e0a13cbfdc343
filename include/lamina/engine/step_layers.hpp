/// Which layer each step of a plan belongs to.
#pragma once
#include "../plan/arrange.hpp"
#include "../reflect/module_rows.hpp"
#include "static_plan.hpp"

namespace lamina::inline LAMINA_ISA {
namespace execution {
/// For each step the number of the module that its operation belongs to, in the order of outline, or -1.
template <CompileOptions Options, class... Spec, class Net, class Steps>
constexpr void find_layers(const Net& net, const Dims (&dims)[sizeof...(Spec)], const Steps& steps, int* found) {
  Graph graph = record_graph<Spec...>(net, dims);
  planning::split_batch(graph);
  const planning::Arranged arranged = planning::arrange<host::Backend>(graph, Options);
  const std::vector<const void*> addresses = module_addresses(net);
  const int count = int(addresses.size());
  int row = 0;  // layers are called in almost the order of members, so a search goes on from the last hit
  for (const planning::Step& step : steps) {
    const void* const layer = arranged.graph.nodes[std::size_t(step.node)].layer;
    *found = -1;
    for (int tried = 0; layer && tried < count && *found < 0; ++tried)
      if (addresses[std::size_t(row)] == layer && module_table<Net>.modules[std::size_t(row)].leaf(row)) *found = row;
      else row = row + 1 == count ? 0 : row + 1;
    ++found;
  }
}

/// The same for a constant plan, in a constant expression too: values are numbered in the order in which a forward
/// evaluates the operands of `f(x) + g(x)`, which C++ leaves open, and which g++ chooses otherwise at run time.
template <class Net, CompileOptions Options, class... Spec>
inline constexpr auto static_layers = [] {
  constexpr const auto& table = StaticPlan<Net, Options, Spec...>::table;
  std::array<int, std::tuple_size_v<decltype(table.steps)>> layers{};
  const Net net{};
  const Dims dims[] = {input_spec<Spec>::shape_type::dims...};
  find_layers<Options, Spec...>(net, dims, table.steps, layers.data());
  return layers;
}();
}  // namespace execution
}  // namespace lamina::inline LAMINA_ISA
