/// First pass: which layout every value has. Where an operation wants another one than its operand has, a copy comes
/// between them.
#pragma once
#include "../core/table.hpp"
#include "plan.hpp"

namespace lamina::planning {

using lamina::detail::Table;

/// A graph, and the layout of each of its values.
struct Arranged {
  Graph graph{};
  std::vector<Layout> layouts{};

  constexpr Layout layout(int value) const { return layouts[std::size_t(value)]; }
  /// Elements of a value's items, and of all of it, in its layout.
  constexpr idx item(int value) const { return item_elements(graph.nodes[std::size_t(value)].dims, layout(value)); }
  constexpr idx size(int value) const { return elements(graph.nodes[std::size_t(value)].dims, layout(value)); }
};

/// True if the operand number `i` of a node gives elements and not only extents.
constexpr bool reads_elements(const Node& node, int i) { return !(i == 1 && is<ops::PadTo>(node.operation)); }

namespace detail {
/// Padding to the size that the operand has already.
constexpr bool pads_nothing(const Graph& graph, const Node& node) {
  return is<ops::PadTo>(node.operation) && graph.input_dims(node, 0) == node.dims;
}
/// The node as another name of its first operand.
constexpr Node same_value(const Node& node) {
  return {.operation = operation_of(ops::Identity{}),
          .first_input = node.first_input,
          .inputs = 1,
          .layer = node.layer,
          .dims = node.dims,
          .dtype = node.dtype};
}
}  // namespace detail

/// Inputs and results of the whole are planar.
template <class Backend> constexpr Arranged arrange(const Graph& graph, const CompileOptions& options) {
  const int n = int(graph.nodes.size());
  Arranged result;
  Graph& to = result.graph;
  to.nodes.reserve(std::size_t(n) + 8);
  to.inputs.reserve(graph.inputs.size() + 8);
  // Of each node of the old graph: its number in the new one, and those of its copies in other layouts.
  Table<int> value(n), copies(layout_count * n, -1);
  int most = 1;
  for (const Node& node : graph.nodes)
    if (node.inputs > most) most = node.inputs;
  Table<Dims> dims(most);
  Table<Layout> given(most);

  const auto simplest = [](const Dims& extents, Layout layout) {
    return layouts_agree(extents, layout, Layout::planar) ? Layout::planar : layout;
  };
  const auto add = [&](const Node& node, Layout layout) {
    to.nodes.push_back(node);
    result.layouts.push_back(layout);
    return int(to.nodes.size()) - 1;
  };
  // False for an alias that is left to the copies which its readers want: its number is that of its operand then.
  const auto is_made = [&](int old) {
    return !Backend::copies_rename || to.nodes[std::size_t(value[old])].dims == graph.nodes[std::size_t(old)].dims;
  };
  const auto in_layout = [&](int old, Layout wanted) {
    const Node& node = graph.nodes[std::size_t(old)];
    wanted = simplest(node.dims, wanted);
    if (is_made(old) && layouts_agree(node.dims, result.layout(value[old]), wanted)) return value[old];
    int& copy = copies[int(wanted) * n + old];
    if (copy < 0) {
      const Node made{.operation = operation_of(ops::Copy{}),
                      .first_input = int(to.inputs.size()),
                      .inputs = 1,
                      .dims = node.dims,
                      .dtype = node.dtype};
      to.inputs.push_back(value[old]);
      copy = add(made, wanted);
    }
    return copy;
  };

  for (int i = 0; i < n; ++i) {
    const Node& old_node = graph.nodes[std::size_t(i)];
    Node node = detail::pads_nothing(graph, old_node) ? detail::same_value(old_node) : old_node;
    for (int k = 0; k < node.inputs; ++k) {
      const int operand = graph.input(node, k);
      dims[k] = graph.nodes[std::size_t(operand)].dims;
      given[k] = is_made(operand) ? result.layout(value[operand]) : Layout::planar;
    }
    Layouts layouts{};
    if (node.inputs > 0)
      layouts = Backend::layouts_of(node.operation, dims.begin(), given.begin(), node.inputs, options);
    if (Backend::copies_rename && role_of(node.operation) == ops::Role::alias &&
        !(is_made(graph.input(node, 0)) && layouts_agree(dims[0], given[0], layouts.operands))) {
      value[i] = value[graph.input(node, 0)];
      continue;
    }
    Table<int> operands(node.inputs);
    for (int k = 0; k < node.inputs; ++k) {
      const int old = graph.input(node, k);
      operands[k] = reads_elements(node, k) || !is_made(old) ? in_layout(old, layouts.operands) : value[old];
    }
    node.first_input = int(to.inputs.size());
    for (int operand : operands) to.inputs.push_back(operand);
    value[i] = add(node, simplest(node.dims, layouts.result));
  }
  for (int output : graph.outputs) to.outputs.push_back(in_layout(output, Layout::planar));
  return result;
}

}  // namespace lamina::planning
