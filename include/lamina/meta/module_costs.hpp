/// What each module of a model gives and costs: the graph of values, added up by the modules that made them.
#pragma once
#include "../core/table.hpp"
#include "../reflect/module_rows.hpp"
#include "meta.hpp"

namespace lamina {

/// What a module and everything below it costs in one forward, and what it gives.
struct ModuleCost {
  int calls = 0;  ///< of a layer
  idx parameters = 0, parameter_bytes = 0;
  idx macs = 0;              ///< multiply-accumulates, as torchinfo counts them
  idx products = 0;          ///< multiply-accumulates of direct sums
  idx activation_bytes = 0;  ///< of all values that are made inside; inputs and views make none
  int last = -1;             ///< the value that a layer inside made last
  int value = -1;            ///< the value that the module gives, where that is certain
  int depth = -1;            ///< weight layers on the longest way to that value
  bool shape_known = false;  ///< what it may give has one shape, `output`
  Dims output{};
};

namespace detail {
/// The row of the layer that made each value; for functions, that of the innermost module that holds the layers before
/// and behind it; the root for inputs. Layers make values in about the order of their rows, so a search goes on from
/// the last hit.
constexpr Table<int> owners_of_values(const auto& rows, const std::vector<const void*>& addresses, const Graph& graph) {
  const int values = int(graph.nodes.size()), modules = int(addresses.size());
  Table<int> owner(values, -1);
  int row = 0;
  for (int value = 0; value < values; ++value)
    if (const void* const layer = graph.nodes[std::size_t(value)].layer)
      // Only modules without children compute; no two of them have the same address.
      for (int tried = 0; tried < modules; ++tried) {
        if (addresses[std::size_t(row)] == layer && rows[std::size_t(row)].leaf(row)) {
          owner[value] = row;
          break;
        }
        row = row + 1 == modules ? 0 : row + 1;
      }
  int next = 0;  // the layer behind a function; the root at the end
  for (int value = values - 1; value >= 0; --value) {
    if (owner[value] >= 0) next = owner[value];
    else owner[value] = -2 - next;  // decided below, when the layer before it is known
  }
  int before = 0;
  for (int value = 0; value < values; ++value) {
    if (owner[value] >= 0) {
      before = owner[value];
      continue;
    }
    const int behind = -2 - owner[value];
    int common = before;
    while (behind < common || behind >= rows[std::size_t(common)].end) common = rows[std::size_t(common)].parent;
    if (rows[std::size_t(common)].leaf(common) && common > 0) common = rows[std::size_t(common)].parent;
    owner[value] = common;
  }
  return owner;
}

constexpr idx bytes_of(const Node& node) { return count(node.dims) * idx(item_size(node.dtype)); }

/// What making a value costs.
struct NodeCost {
  idx macs = 0, products = 0, activation_bytes = 0;
};
constexpr NodeCost cost_of(const Graph& graph, const Node& node) {
  NodeCost cost;
  cost.macs = cost.products = macs_of(graph, node);
  if (is<ops::ConvTranspose2d>(node.operation))
    cost.products = as<ops::ConvTranspose2d>(node.operation).products(graph.input_dims(node, 0));
  const ops::Role role = role_of(node.operation);
  if (role != ops::Role::leaf && role != ops::Role::alias) cost.activation_bytes = bytes_of(node);
  return cost;
}

/// True if nobody knows whose function made a value: it belongs to no layer.
constexpr bool is_function(const Node& node) { return !node.layer && role_of(node.operation) != ops::Role::leaf; }

/// Finds what a module gives. It is certain where the value that a layer inside made last is read by a layer outside,
/// or is a result of the model. Where only functions follow on it (cat, +), they may be part of the module or not; if
/// all of these values have one shape, the shape is certain.
constexpr void find_output(const auto& rows, const Graph& graph, const Table<int>& owner, int row, ModuleCost& cost) {
  const int last = cost.last, values = int(graph.nodes.size());
  const auto inside = [&](int value) { return owner[value] >= row && owner[value] < rows[std::size_t(row)].end; };
  if (last < 0) return;
  cost.output = graph.nodes[std::size_t(last)].dims;
  cost.shape_known = true;
  bool certain = rows[std::size_t(row)].leaf(row);
  for (const int output : graph.outputs) certain = certain || output == last;
  for (int reader = last + 1; reader < values && !certain; ++reader) {
    const Node& node = graph.nodes[std::size_t(reader)];
    for (int i = 0; i < node.inputs && !certain; ++i)
      certain = graph.input(node, i) == last && node.layer && !inside(reader);
  }
  if (certain) {
    cost.value = last;
    return;
  }
  for (int value = last + 1; value < values && is_function(graph.nodes[std::size_t(value)]); ++value)
    if (graph.nodes[std::size_t(value)].dims != cost.output) cost.shape_known = false;
}

/// The number of weight layers (convolutions and linear layers) on the longest way from an input to each value.
constexpr Table<int> depths_of_values(const Graph& graph) {
  const int values = int(graph.nodes.size());
  Table<int> depth(values);
  for (int value = 0; value < values; ++value) {
    const Node& node = graph.nodes[std::size_t(value)];
    for (int k = 0; k < node.inputs; ++k)
      if (depth[graph.input(node, k)] > depth[value]) depth[value] = depth[graph.input(node, k)];
    depth[value] += role_of(node.operation) == ops::Role::producer;
  }
  return depth;
}

/// Fills in the costs of all rows. The root's are those of the model.
constexpr void add_costs(auto& costs, const auto& rows, const Table<int>& owner, const Graph& graph) {
  const int modules = int(rows.size());
  for (int value = 0; value < owner.size(); ++value) {
    const Node& node = graph.nodes[std::size_t(value)];
    ModuleCost& cost = costs[std::size_t(owner[value])];
    const NodeCost made = cost_of(graph, node);
    cost.macs += made.macs;
    cost.products += made.products;
    cost.activation_bytes += made.activation_bytes;
    if (!node.layer) continue;
    ++cost.calls;
    cost.last = value;
  }
  for (int row = modules - 1; row >= 0; --row) {  // those below a row are complete when it is reached
    ModuleCost& cost = costs[std::size_t(row)];
    const ModuleRow& module = rows[std::size_t(row)];
    cost.parameters += module.parameters;
    cost.parameter_bytes += module.parameter_bytes;
    const bool leaf = module.leaf(row);
    if (module.has_forward && (leaf || !module.chains)) find_output(rows, graph, owner, row, cost);
    if (module.parent < 0) break;
    ModuleCost& parent = costs[std::size_t(module.parent)];
    parent.parameters += cost.parameters;
    parent.parameter_bytes += cost.parameter_bytes;
    parent.macs += cost.macs;
    parent.products += cost.products;
    parent.activation_bytes += cost.activation_bytes;
    if (cost.last > parent.last) parent.last = cost.last;
    const ModuleRow& above = rows[std::size_t(module.parent)];
    if (above.chains && module.end == above.end) {  // a Sequential gives what its last child gives
      parent.value = cost.value;
      parent.shape_known = cost.shape_known;
      parent.output = cost.output;
    }
  }
  if (graph.outputs.size() == 1) {
    costs[0].value = graph.outputs[0];
    costs[0].output = graph.nodes[std::size_t(graph.outputs[0])].dims;
  }
  costs[0].shape_known = graph.outputs.size() == 1;
  const Table<int> depth = depths_of_values(graph);
  for (int row = 0; row < modules; ++row)
    if (const int value = costs[std::size_t(row)].value; value >= 0) costs[std::size_t(row)].depth = depth[value];
  for (const int output : graph.outputs)
    if (depth[output] > costs[0].depth) costs[0].depth = depth[output];
}
}  // namespace detail
}  // namespace lamina
