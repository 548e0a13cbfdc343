/// The graph of values that a forward computes: nodes in the order of evaluation. Plain data, the same in a constant
/// expression and at run time; the plan is made from it.
#pragma once
#include "../core/dtype.hpp"
#include "../ops/all.hpp"
#include <initializer_list>
#include <vector>

namespace lamina {

/// One value: the operation that makes it, the values it reads, its extents.
struct Node {
  Operation operation{};
  int first_input = 0, inputs = 0;  ///< a range of Graph::inputs
  const void* layer = nullptr;      ///< the layer that asked for it; null for functions
  const void* parameters[4] = {};   ///< in the operation's order; null where absent
  Dims dims{};
  Dtype dtype = Dtype::float32;
};

/// Nodes and their inputs. Values are numbered by position.
struct Graph {
  std::vector<Node> nodes{};
  std::vector<int> inputs{};   ///< node numbers
  std::vector<int> outputs{};  ///< what the forward returned, in order

  constexpr int input(const Node& node, int i) const { return inputs[std::size_t(node.first_input + i)]; }
  constexpr const Dims& input_dims(const Node& node, int i) const { return nodes[std::size_t(input(node, i))].dims; }
};

namespace detail {
/// Appends a node that reads these values; returns its number.
template <class Inputs = std::initializer_list<int>>
constexpr int record(Graph& graph, const Node& made, const Inputs& inputs) {
  Node node = made;
  node.first_input = int(graph.inputs.size());
  node.inputs = int(inputs.size());
  for (int i : inputs) graph.inputs.push_back(i);
  graph.nodes.push_back(node);
  return int(graph.nodes.size()) - 1;
}

template <class Op> constexpr idx macs_as(const Graph& graph, const Node& node) {
  const Op& op = as<Op>(node.operation);
  if constexpr (requires(Dims d) { op.macs(d); }) return op.macs(graph.input_dims(node, 0));
  else return op.macs(graph.input_dims(node, 0), graph.input_dims(node, 1));
}
template <class Op> inline constexpr bool has_macs = requires(Op op, Dims d) { op.macs(d); }
|| requires(Op op, Dims d) { op.macs(d, d); };
// Few operations have any: std::visit would make a function of each of them, in every translation unit.
template <class... All>
constexpr idx macs_of(const Graph& graph, const Node& node, const std::variant<All...>& operation) {
  constexpr bool any[] = {has_macs<All>...};
  idx macs = 0;
  if (!any[operation.index()]) return macs;
  const auto add_if = [&]<class Op>(const Op*) {
    if constexpr (has_macs<Op>)
      if (is<Op>(operation)) macs = macs_as<Op>(graph, node);
  };
  (add_if(static_cast<const All*>(nullptr)), ...);
  return macs;
}
}  // namespace detail

/// Drops the values that no output needs, inputs of the model aside. What a forward computes in vain costs nothing.
constexpr void drop_unread(Graph& graph) {
  const int n = int(graph.nodes.size());
  std::vector<int> number(graph.nodes.size(), -1);  // of a node that stays, among those that stay
  for (const int output : graph.outputs) number[std::size_t(output)] = 0;
  int kept = 0;
  for (int i = n - 1; i >= 0; --i) {
    const Node& node = graph.nodes[std::size_t(i)];
    if (is<ops::Input>(node.operation)) number[std::size_t(i)] = 0;
    if (number[std::size_t(i)] < 0) continue;
    ++kept;
    for (int k = 0; k < node.inputs; ++k) number[std::size_t(graph.input(node, k))] = 0;
  }
  if (kept == n) return;
  Graph read;
  for (int i = 0; i < n; ++i) {
    if (number[std::size_t(i)] < 0) continue;
    Node node = graph.nodes[std::size_t(i)];
    number[std::size_t(i)] = int(read.nodes.size());
    const int first = node.first_input;
    node.first_input = int(read.inputs.size());
    for (int k = 0; k < node.inputs; ++k)
      read.inputs.push_back(number[std::size_t(graph.inputs[std::size_t(first + k)])]);
    read.nodes.push_back(node);
  }
  for (const int output : graph.outputs) read.outputs.push_back(number[std::size_t(output)]);
  graph = std::move(read);
}

/// Multiply-accumulates of a node.
constexpr idx macs_of(const Graph& graph, const Node& node) { return detail::macs_of(graph, node, node.operation); }

/// Multiply-accumulates of all nodes.
constexpr idx macs_of(const Graph& graph) {
  idx sum = 0;
  for (const Node& node : graph.nodes) sum += macs_of(graph, node);
  return sum;
}

}  // namespace lamina
