/// The plan of a model for inputs of static extents, as a constant.
#pragma once
#include "../meta/meta.hpp"
#include "../reflect/module.hpp"
#include "micro_batch.hpp"
#include "steps.hpp"
#include <array>

namespace lamina::planning {

struct CollectParameters {
  std::vector<ParameterInfo>& list;
  template <class P> constexpr void operator()(const Path&, const P& parameter) {
    list.push_back({&parameter, P::size});
  }
};
/// Parameters and buffers of a model in state_dict order.
template <class Net> constexpr std::vector<ParameterInfo> parameters_of(const Net& net) {
  std::vector<ParameterInfo> list;
  for_each_stored(net, CollectParameters{list});
  return list;
}
/// Records the forward and plans it for a backend.
template <class Backend, CompileOptions Options, class... Spec, class Net>
constexpr Plan plan_of(const Net& net, const Dims (&dims)[sizeof...(Spec)]) {
  Graph graph = record_graph<Spec...>(net, dims);
  const idx micro_batches = Backend::splits_batches ? planning::split_batch(graph) : 1;
  const std::vector<ParameterInfo> parameters = parameters_of(net);
  Plan plan = planning::make_plan<Backend>(graph, parameters.data(), int(parameters.size()), Options);
  plan.memory.micro_batches = micro_batches;
  if (micro_batches > 1)
    for (Place& output : plan.outputs) output.dims[0] *= micro_batches;
  return plan;
}
template <class Backend, class Net, CompileOptions Options, class... Spec> constexpr Plan plan_of_type() {
  const Net net{};
  const Dims dims[] = {input_spec<Spec>::shape_type::dims...};
  return plan_of<Backend, Options, Spec...>(net, dims);
}

struct PlanSizes {
  std::size_t steps, operands, outputs;
  constexpr bool fits(const PlanSizes& room) const {
    return steps <= room.steps && operands <= room.operands && outputs <= room.outputs;
  }
};
/// A plan as a constant, with room for so many of each.
template <PlanSizes Room> struct PlanTable {
  std::array<Step, Room.steps> steps{};
  std::array<Place, Room.operands> operands{};
  std::array<Place, Room.outputs> outputs{};
  Extent memory{};
  idx packed = 0, unplanned = 0;
  std::uint64_t kernels = 0;
};
template <PlanSizes Room> struct SizedTable {
  PlanSizes sizes{};
  PlanTable<Room> table{};
};

/// The table of a plan, or the sizes alone if there is no room for it. `From` is a plan or a table with more room.
template <PlanSizes Room, class From> constexpr SizedTable<Room> table_of(const From& plan, const PlanSizes& sizes) {
  SizedTable<Room> made{sizes};
  if (!sizes.fits(Room)) return made;
  PlanTable<Room>& table = made.table;
  for (std::size_t i = 0; i < sizes.steps; ++i) table.steps[i] = plan.steps[i];
  for (std::size_t i = 0; i < sizes.operands; ++i) table.operands[i] = plan.operands[i];
  for (std::size_t i = 0; i < sizes.outputs; ++i) table.outputs[i] = plan.outputs[i];
  table.memory = plan.memory;
  table.packed = plan.packed;
  table.unplanned = plan.unplanned;
  table.kernels = plan.kernels;
  return made;
}
template <PlanSizes Room, class Backend, class Net, CompileOptions Options, class... Spec>
constexpr SizedTable<Room> table_of_type() {
  const Plan plan = plan_of_type<Backend, Net, Options, Spec...>();
  return table_of<Room>(plan, {plan.steps.size(), plan.operands.size(), plan.outputs.size()});
}

/// A table as a plan.
template <PlanSizes Room> Plan copy_of(const PlanTable<Room>& table) {
  Plan plan;
  plan.steps.assign(table.steps.begin(), table.steps.end());
  plan.operands.assign(table.operands.begin(), table.operands.end());
  plan.outputs.assign(table.outputs.begin(), table.outputs.end());
  plan.memory = table.memory;
  plan.packed = table.packed;
  plan.unplanned = table.unplanned;
  plan.kernels = table.kernels;
  return plan;
}

/// The plan of `Net` for these inputs on a backend, made by the compiler.
template <class Backend, class Net, CompileOptions Options, class... Spec> struct PlanFor {
  static_assert((is_static(input_spec<Spec>::shape_type::dims) && ...), "lamina: a constant plan needs static extents");
  // Making the plan is most of what the compiler evaluates, and its sizes are known only then. So it is made in a room
  // that most plans fit into, that of ResNet-152 too, and cut to size; a larger one is made again.
  static constexpr auto table = [] {
    constexpr PlanSizes room{192, 256, 4};
    constexpr auto first = table_of_type<room, Backend, Net, Options, Spec...>();
    if constexpr (first.sizes.fits(room)) return table_of<first.sizes>(first.table, first.sizes).table;
    else return table_of_type<first.sizes, Backend, Net, Options, Spec...>().table;
  }();
};

}  // namespace lamina::planning
