/// Last pass: the table of steps, with every operand's place and every parameter's place in the packed weights.
#pragma once
#include "../core/error.hpp"
#include "place.hpp"

namespace lamina {

/// A parameter or buffer of the model, in state_dict order.
struct ParameterInfo {
  const void* address = nullptr;
  idx size = 0;
};

namespace planning {

/// Floats of an operation's packed weight in its smallest form.
template <class Backend>
constexpr idx least_weights(const Operation& operation, const Dims& x, Layout layout, const CompileOptions& options) {
  return Backend::packed_floats(operation, 0, Backend::method_of(operation, x, layout, options, 0), 0);
}

/// Makes the plan. `parameters` are those of the model whose forward was recorded.
template <class Backend>
constexpr Plan make_plan(const Graph& recorded, const ParameterInfo* parameters, int parameter_count,
                         const CompileOptions& options) {
  const Arranged arranged = arrange<Backend>(recorded, options);
  const Graph& graph = arranged.graph;
  const Fusion fusion = fuse(graph);
  const Order order = order_of(fusion);
  const Placement placement = place<Backend>(arranged, fusion, order);
  const Node* const nodes = graph.nodes.data();

  Plan plan;
  plan.steps.reserve(order.size() + graph.outputs.size());
  plan.unplanned = placement.unplanned;

  // Parameters are asked for in almost the order of the state_dict, so a search goes on from the last hit.
  int hint = 0;
  const auto number_of = [&](const void* address) {
    if (!address) return -1;
    for (int tried = 0; tried < parameter_count; ++tried, hint = hint + 1 == parameter_count ? 0 : hint + 1)
      if (parameters[hint].address == address) return hint;
    throw parameter_error("a forward uses a parameter that is no member of the model: make its layer a member");
  };
  // Adds a parameter to the block of weights of the step that is being made.
  const auto pack = [&](Step& step, idx floats) {
    if (step.weight_floats == 0) step.weights = plan.packed;
    const idx at = step.weight_floats;
    step.weight_floats += round_up(floats, arena_alignment);
    plan.packed += round_up(floats, arena_alignment);
    return at;
  };
  Table<int> parameter_steps(int(graph.nodes.size()));

  const auto place_of = [&](int value) {
    const Node& node = nodes[value];
    const int owner = fusion.storage[value];
    Place place{
        .dtype = node.dtype, .layout = arranged.layout(value), .item_stride = arranged.item(value), .dims = node.dims};
    if (is<ops::Input>(nodes[owner].operation)) {
      place.source = Source::input;
      place.index = as<ops::Input>(nodes[owner].operation).index;
    } else if (is<ops::ParameterValue>(nodes[owner].operation)) {
      place.source = Source::weights;
      place.index = parameter_steps[owner];
    } else {
      const int top = placement.top(owner);
      const Place& buffer = placement.at[top];
      place.source = buffer.source;
      place.index = buffer.index;
      place.offset = buffer.offset;
      for (int v = owner; v != top; v = placement.host[v]) place.offset += placement.offset[v];
      if (item_count(node.dims) == item_count(nodes[top].dims)) place.item_stride = arranged.item(top);
    }
    return place;
  };
  const auto add_operand = [&](Step& step, int value) {
    plan.operands.push_back(place_of(value));
    ++step.operands;
  };
  const auto add_copy = [&](int value, const Place& to) {
    Step step{.operation = operation_of(ops::Copy{}), .node = value, .first_operand = int(plan.operands.size())};
    add_operand(step, value);
    step.out = to;
    plan.kernels |= Backend::kernels_of(step.operation, step.method, options);
    plan.steps.push_back(step);
  };

  // Parameters that are operands come first in the packed weights. They are steps without a kernel.
  for (int i = 0; i < int(graph.nodes.size()); ++i)
    if (is<ops::ParameterValue>(nodes[i].operation)) {
      Step step{.operation = nodes[i].operation, .node = i};
      step.parameters[0] = number_of(nodes[i].parameters[0]);
      step.packed[0] = pack(step, count(nodes[i].dims));
      parameter_steps[i] = int(plan.steps.size());
      plan.steps.push_back(step);
    }

  // What the budget leaves for larger forms of weights than the smallest.
  idx spare = options.weight_budget / idx(sizeof(float));
  const bool limited = options.weight_budget < CompileOptions{}.weight_budget;
  if (limited)
    for (int root : order)
      if (nodes[root].inputs > 0) {
        const int x = graph.input(nodes[root], 0);
        spare -= least_weights<Backend>(nodes[root].operation, nodes[x].dims, arranged.layout(x), options);
      }

  for (int root : order) {
    const Node& node = nodes[root];
    const Fused& fused = fusion.of[root];
    if (placement.joined[root]) {  // operands that do not lie in the result yet are copied there
      Place to = place_of(root);
      const int axis = wrap_dim(as<ops::Cat>(node.operation).dim, node.dims.rank);
      for (int k = 0; k < node.inputs; ++k) {
        const int operand = graph.input(node, k), owner = fusion.storage[operand];
        to.dims = nodes[operand].dims;
        const Place from = place_of(operand);
        if (placement.host[owner] != root || from.offset != to.offset) add_copy(operand, to);
        to.offset += axis == 0 ? arranged.size(operand) : arranged.item(operand);
      }
      continue;
    }
    Step step{.operation = node.operation, .node = root, .first_operand = int(plan.operands.size())};
    for (int k = 0; k < node.inputs; ++k) add_operand(step, graph.input(node, k));
    const Place x = step.operands > 0 ? plan.operands[std::size_t(step.first_operand)] : Place{};
    const Dims second = node.inputs > 1 ? graph.input_dims(node, 1) : Dims{};
    const idx least = limited ? least_weights<Backend>(node.operation, x.dims, x.layout, options) : 0;
    const auto method = Backend::method_of(node.operation, x.dims, x.layout, options, least + spare);
    if (limited) spare -= Backend::packed_floats(node.operation, 0, method, 0) - least;
    step.method = std::uint8_t(method);
    const bool producer = role_of(node.operation) == ops::Role::producer;
    for (int k = 0; k < 4; ++k) {
      step.parameters[k] = number_of(node.parameters[k]);
      const idx size = step.parameters[k] >= 0 ? parameters[step.parameters[k]].size : 0;
      // Kernels of producers always add a bias.
      if (size > 0 || (producer && k == 1))
        step.packed[k] = pack(step, Backend::packed_floats(node.operation, k, method, size));
    }
    if (fused.norm >= 0) {
      const Node& norm = nodes[fused.norm];
      const ops::BatchNorm& op = as<ops::BatchNorm>(norm.operation);
      step.has_norm = true;
      step.norm_affine = op.affine;
      step.norm_eps = op.eps;
      for (int k = 0; k < 4; ++k) step.norm[k] = number_of(norm.parameters[k]);
    }
    step.activation = fused.activation;
    if (fused.residual >= 0) {
      add_operand(step, fused.residual);
      step.has_residual = true;
    }
    step.out = place_of(fused.last);
    step.out.dims = node.dims;
    const auto scratch = Backend::scratch_of(node.operation, x.dims, second, method);
    if (scratch.shared > plan.memory.scratch_shared) plan.memory.scratch_shared = scratch.shared;
    if (scratch.each > plan.memory.scratch_each) plan.memory.scratch_each = scratch.each;
    plan.kernels |= Backend::kernels_of(step.operation, step.method, options);
    plan.steps.push_back(step);
  }
  for (int k = 0; k < int(graph.outputs.size()); ++k) {
    const int value = graph.outputs[std::size_t(k)];
    const Place place = place_of(value);
    plan.outputs.push_back({.source = Source::output,
                            .dtype = place.dtype,
                            .index = k,
                            .item_stride = product(place.dims, 1, place.dims.rank),
                            .dims = place.dims});
    if (place.source != Source::output || place.index != k) add_copy(value, plan.outputs.back());
  }
  plan.memory.activations = placement.arena;
  return plan;
}

}  // namespace planning
}  // namespace lamina
