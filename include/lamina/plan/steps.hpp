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

/// Makes the plan. `parameters` are those of the model whose forward was recorded.
template <class Backend>
constexpr Plan make_plan(const Graph& graph, const ParameterInfo* parameters, int parameter_count) {
  const Fusion fusion = fuse(graph);
  const Order order = order_of(fusion);
  const Placement placement = place<Backend>(graph, fusion, order);
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
  const auto pack = [&](idx floats) {
    const idx at = plan.packed;
    plan.packed += round_up(floats, arena_alignment);
    return at;
  };
  Table<idx> parameter_offsets(int(graph.nodes.size()));

  const auto place_of = [&](int value) {
    const Node& node = nodes[value];
    const int owner = fusion.storage[value];
    Place place{.dtype = node.dtype, .item_stride = item_elements(node.dims, Layout::planar), .dims = node.dims};
    if (is<ops::Input>(nodes[owner].operation)) {
      place.source = Source::input;
      place.index = as<ops::Input>(nodes[owner].operation).index;
    } else if (is<ops::ParameterValue>(nodes[owner].operation)) {
      place.source = Source::weights;
      place.offset = parameter_offsets[owner];
    } else {
      const int top = placement.top(owner);
      const Place& buffer = placement.at[top];
      place.source = buffer.source;
      place.index = buffer.index;
      place.layout = Backend::layout_of(nodes[owner].operation);
      place.offset = buffer.offset;
      for (int v = owner; v != top; v = placement.host[v]) place.offset += placement.offset[v];
      if (item_count(node.dims) == item_count(nodes[top].dims))
        place.item_stride = item_elements(nodes[top].dims, Layout::planar);
    }
    return place;
  };
  const auto add_operand = [&](Step& step, int value) {
    plan.operands.push_back(place_of(value));
    ++step.operands;
  };
  const auto add_copy = [&](int value, const Place& to) {
    Step step{.operation = Operation(ops::Identity{}), .node = value, .first_operand = int(plan.operands.size())};
    add_operand(step, value);
    step.out = to;
    plan.kernels |= std::uint64_t(1) << step.operation.index();
    plan.steps.push_back(step);
  };

  // Parameters that are operands come first in the packed weights. They are steps without a kernel.
  for (int i = 0; i < int(graph.nodes.size()); ++i)
    if (is<ops::ParameterValue>(nodes[i].operation)) {
      Step step{.operation = nodes[i].operation, .node = i};
      step.parameters[0] = number_of(nodes[i].parameters[0]);
      step.packed[0] = parameter_offsets[i] = pack(count(nodes[i].dims));
      plan.steps.push_back(step);
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
        to.offset += axis == 0 ? count(to.dims) : item_elements(to.dims, Layout::planar);
      }
      continue;
    }
    Step step{.operation = node.operation, .node = root, .first_operand = int(plan.operands.size())};
    for (int k = 0; k < node.inputs; ++k) add_operand(step, graph.input(node, k));
    for (int k = 0; k < 4; ++k) {
      step.parameters[k] = number_of(node.parameters[k]);
      if (step.parameters[k] >= 0) step.packed[k] = pack(parameters[step.parameters[k]].size);
    }
    if (fused.norm >= 0) {
      const Node& norm = nodes[fused.norm];
      const ops::BatchNorm& op = as<ops::BatchNorm>(norm.operation);
      step.has_norm = true;
      step.norm_affine = op.affine;
      step.norm_eps = op.eps;
      for (int k = 0; k < 4; ++k) step.norm[k] = number_of(norm.parameters[k]);
      if (step.packed[1] < 0) step.packed[1] = pack(op.num_features);  // the folded norm brings a bias
    }
    step.activation = fused.activation;
    if (fused.residual >= 0) {
      add_operand(step, fused.residual);
      step.has_residual = true;
    }
    step.out = place_of(fused.last);
    step.out.dims = node.dims;
    const idx scratch = node.inputs > 0 ? Backend::scratch_floats(node.operation, graph.input_dims(node, 0)) : 0;
    if (scratch > plan.scratch) plan.scratch = scratch;
    plan.kernels |= std::uint64_t(1) << node.operation.index();
    plan.steps.push_back(step);
  }
  for (int k = 0; k < int(graph.outputs.size()); ++k) {
    const int value = graph.outputs[std::size_t(k)];
    const Place place = place_of(value);
    plan.outputs.push_back({.source = Source::output,
                            .dtype = place.dtype,
                            .index = k,
                            .item_stride = item_elements(place.dims, Layout::planar),
                            .dims = place.dims});
    if (place.source != Source::output || place.index != k) add_copy(value, plan.outputs.back());
  }
  plan.scratch_offset = placement.arena;
  plan.arena = placement.arena + round_up(plan.scratch, arena_alignment);
  return plan;
}

}  // namespace planning
}  // namespace lamina
