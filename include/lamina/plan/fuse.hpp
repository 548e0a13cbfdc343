/// Second pass: which nodes of the graph one kernel computes.
#pragma once
#include "arrange.hpp"

namespace lamina::planning {

/// What a kernel computes, in node numbers: a root (the producer), then, where there is one, a batch norm, an addition
/// and an activation in this order. `last` is the node whose value comes out.
struct Fused {
  int root = -1, last = -1;
  int norm = -1, residual = -1;  ///< the batch norm's node; the value that is added
  bool added = false;
  ops::Activation activation{};
  bool activated = false;
};

/// The result of the pass. Every array has one entry a node.
struct Fusion {
  Table<Fused> of;  ///< by root; root == -1 for a node that another one took in, for aliases and leaves
  Table<int> root;  ///< the root that computes a node's value
  Table<int>
      storage;  ///< the node whose memory holds the value: itself, what it is an alias of, or the last of its kernel
  constexpr explicit Fusion(int nodes) : of(nodes), root(nodes), storage(nodes) {}
};

namespace detail {
/// Dimension 1 of a producer's result is the channel of a batch norm; a linear layer has its features there only if it
/// is [N, C].
constexpr bool takes_norm(const Node& producer, const ops::BatchNorm& norm) {
  return norm.tracked && (!is<ops::Linear>(producer.operation) || producer.dims.rank == 2);
}
}  // namespace detail

/// A producer takes in what follows it as long as nobody else reads the value in between.
constexpr Fusion fuse(const Graph& graph) {
  const int n = int(graph.nodes.size());
  Fusion fusion(n);
  Table<int> readers(n);
  const Node* const nodes = graph.nodes.data();
  const int* const inputs = graph.inputs.data();
  Fused* const of = fusion.of.begin();
  int *const root = fusion.root.begin(), *const storage = fusion.storage.begin();

  for (int i = 0; i < n; ++i)
    for (int k = 0; k < nodes[i].inputs; ++k) readers[inputs[nodes[i].first_input + k]] += reads_elements(nodes[i], k);
  for (int output : graph.outputs) ++readers[output];

  // The kernel that a value may still be extended in, or null.
  const auto open = [&](int value) -> Fused* {
    Fused& f = of[root[value]];
    return f.last == value && readers[value] == 1 && role_of(nodes[f.root].operation) == ops::Role::producer ? &f
                                                                                                             : nullptr;
  };
  for (int i = 0; i < n; ++i) {
    const Node& node = nodes[i];
    root[i] = storage[i] = i;
    Fused* into = nullptr;
    switch (role_of(node.operation)) {
    case ops::Role::leaf: continue;
    case ops::Role::alias:
      root[i] = root[inputs[node.first_input]];
      storage[i] = inputs[node.first_input];
      continue;
    case ops::Role::epilogue: {
      const int a = inputs[node.first_input];
      if (is<ops::BatchNorm>(node.operation)) {
        into = open(a);
        if (into && (into->norm >= 0 || into->added || into->activated ||
                     !detail::takes_norm(nodes[into->root], as<ops::BatchNorm>(node.operation))))
          into = nullptr;
        if (into) into->norm = i;
      } else if (is<ops::Activation>(node.operation)) {
        into = open(a);
        if (into && into->activated) into = nullptr;
        if (into) into->activated = true, into->activation = as<ops::Activation>(node.operation);
      } else if (as<ops::Binary>(node.operation).kind == ops::Binary::Kind::add) {
        const int b = inputs[node.first_input + 1];
        // The operand that is computed last takes in the other, which must be there before it starts.
        const int young = root[b] > root[a] ? b : a, old = young == a ? b : a;
        into = nodes[a].dims == nodes[b].dims && root[old] < root[young] ? open(young) : nullptr;
        if (into && (into->added || into->activated)) into = nullptr;
        if (into) into->added = true, into->residual = old;
      }
      break;
    }
    default: break;
    }
    if (into) {
      into->last = i;
      root[i] = into->root;
    } else {
      of[i].root = of[i].last = i;
    }
  }
  // Memory belongs to the last node of a kernel; aliases follow their operand.
  for (int i = 0; i < n; ++i) {
    if (role_of(nodes[i].operation) == ops::Role::alias) storage[i] = storage[storage[i]];
    else if (of[root[i]].root >= 0) storage[i] = of[root[i]].last;
  }
  return fusion;
}

}  // namespace lamina::planning
