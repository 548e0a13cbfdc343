/// Large batches in micro-batches: a plan for some of the items runs once for each group of them, so that its
/// activations stay in the last-level cache, and threads compute micro-batches of their own without waiting for each
/// other.
#pragma once
#include "../meta/graph.hpp"
#include "layout.hpp"

namespace lamina::planning {

/// Bytes that the operands and the result of an operation may take together in a micro-batch of several items.
inline constexpr idx micro_batch_bytes = 20 << 20;

/// True if every item of the result depends on the same item of the operands alone. Unknown operations do not.
constexpr bool keeps_items(const Graph& graph, const Node& node, idx items) {
  const Operation& operation = node.operation;
  if (node.dims.rank < 2 || node.dims[0] != items) return false;
  for (int k = 0; k < node.inputs; ++k) {
    const Node& operand = graph.nodes[std::size_t(graph.input(node, k))];
    if (!is<ops::ParameterValue>(operand.operation)) {
      if (operand.dims.rank < 2 || operand.dims[0] != items) return false;
      if (is<ops::Binary>(operation) && operand.dims.rank != node.dims.rank) return false;
    } else if (operand.dims.rank > node.dims.rank || (operand.dims.rank == node.dims.rank && operand.dims[0] != 1))
      return false;
  }
  const auto not_first = [&](int dim) { return wrap_dim(dim, node.dims.rank) != 0; };
  const Dims& x = node.inputs > 0 ? graph.input_dims(node, 0) : node.dims;
  if (is<ops::Cat>(operation)) return not_first(as<ops::Cat>(operation).dim);
  if (is<ops::Softmax>(operation)) return not_first(as<ops::Softmax>(operation).dim);
  if (is<ops::LayerNorm>(operation)) return as<ops::LayerNorm>(operation).normalized.rank < x.rank;
  if (is<ops::Pad>(operation))
    return as<ops::Pad>(operation).before(0, x.rank) == 0 && as<ops::Pad>(operation).after(0, x.rank) == 0;
  return is<ops::Input>(operation) || is<ops::Conv2d>(operation) || is<ops::ConvTranspose2d>(operation) ||
         is<ops::BatchNorm>(operation) || is<ops::GroupNorm>(operation) || is<ops::Activation>(operation) ||
         is<ops::Binary>(operation) || is<ops::Identity>(operation) || is<ops::Copy>(operation) ||
         is<ops::Linear>(operation) || is<ops::MaxPool2d>(operation) || is<ops::AvgPool2d>(operation) ||
         is<ops::AdaptiveAvgPool2d>(operation) || is<ops::Upsample>(operation) || is<ops::PadTo>(operation) ||
         is<ops::Flatten>(operation) || is<ops::Reshape>(operation) || is<ops::Unsqueeze>(operation);
}

/// Divides the first dimension of all values of the graph by the number of micro-batches, which is returned: the
/// smallest divisor of the batch with which every operation stays within micro_batch_bytes, or else the batch; 1 where
/// operations mix items.
constexpr idx split_batch(Graph& graph) {
  idx items = 0, largest = 0;
  for (const Node& node : graph.nodes) {
    if (is<ops::ParameterValue>(node.operation)) continue;
    if (items == 0) items = item_count(node.dims);
    if (items == 1 || !keeps_items(graph, node, items)) return 1;
    idx floats = count(node.dims);
    for (int k = 0; k < node.inputs; ++k) floats += count(graph.input_dims(node, k));
    if (floats > largest) largest = floats;
  }
  for (const int output : graph.outputs)
    if (is<ops::ParameterValue>(graph.nodes[std::size_t(output)].operation)) return 1;
  idx parts = 1;
  while (parts < items && (items % parts != 0 || largest / parts * idx(sizeof(float)) > micro_batch_bytes)) ++parts;
  if (parts > 1)
    for (Node& node : graph.nodes)
      if (!is<ops::ParameterValue>(node.operation)) node.dims[0] /= parts;
  return parts;
}

}  // namespace lamina::planning
