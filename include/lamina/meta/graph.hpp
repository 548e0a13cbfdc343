/// The graph of values that a forward computes: nodes in the order of evaluation. Plain data, the same in a constant expression and
/// at run time; the plan is made from it.
#pragma once
#include "../core/dtype.hpp"
#include "../ops/all.hpp"
#include <vector>

namespace lamina {

/// One value: the operation that makes it, the values it reads, its extents.
struct Node {
  Operation operation{};
  int first_input = 0, inputs = 0;        ///< a range of Graph::inputs
  const void* layer = nullptr;            ///< the layer that asked for it; null for functions
  const void* parameters[4] = {};         ///< in the operation's order; null where absent
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

/// Multiply-accumulates of a node.
constexpr idx macs_of(const Graph& graph, const Node& node) {
  return std::visit([&](const auto& op) {
    if constexpr (requires(Dims d) { op.macs(d); }) return op.macs(graph.input_dims(node, 0));
    else if constexpr (requires(Dims d) { op.macs(d, d); }) return op.macs(graph.input_dims(node, 0), graph.input_dims(node, 1));
    else return idx(0);
  }, node.operation);
}

/// Multiply-accumulates of all nodes.
constexpr idx macs_of(const Graph& graph) {
  idx sum = 0;
  for (const Node& node : graph.nodes) sum += macs_of(graph, node);
  return sum;
}

}  // namespace lamina
