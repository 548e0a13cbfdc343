/// Third pass: where every value lies. Concatenations along channels become offsets in one buffer, results are written
/// over operands that nobody needs any more, and buffers that do not live at the same time share the arena.
#pragma once
#include "fuse.hpp"

namespace lamina::planning {

/// Buffers, by the node whose memory they are (Fusion::storage).
struct Placement {
  Table<int> host;     ///< the node in whose buffer a value lies: itself, a concatenation, or the value it overwrites
  Table<idx> offset;   ///< elements before the value's first, in its host's buffer
  Table<Place> at;     ///< of a host: where its buffer is
  Table<char> joined;  ///< a concatenation that its operands, or copies of them, make without a kernel
  idx arena = 0, unplanned = 0;  ///< floats

  constexpr explicit Placement(int nodes) : host(nodes), offset(nodes), at(nodes), joined(nodes) {}

  /// The node whose buffer holds a value in the end.
  constexpr int top(int value) const {
    while (host[value] != value) value = host[value];
    return value;
  }
};

/// The kernels in the order in which they run: roots in the order of the graph.
using Order = std::vector<int>;

constexpr Order order_of(const Fusion& fusion) {
  Order order;
  for (int i = 0; i < int(fusion.of.size()); ++i)
    if (fusion.of[i].root >= 0) order.push_back(i);
  return order;
}

/// Places all values of the graph. Values that the caller owns (inputs) and parameters keep their own memory.
template <class Backend> constexpr Placement place(const Arranged& arranged, const Fusion& fusion, const Order& order) {
  const Graph& graph = arranged.graph;
  const int n = int(graph.nodes.size()), steps = int(order.size());
  const Node* const nodes = graph.nodes.data();
  const int* const inputs = graph.inputs.data();
  const int* const storage = fusion.storage.begin();
  const Fused* const of = fusion.of.begin();

  Placement result(n);
  int* const host = result.host.begin();
  idx* const offset = result.offset.begin();

  // What holds of the value in a node's memory: who makes it, its last reader, whether all who touch it honour an item
  // stride.
  struct Value {
    int made = -1, last_read = -1;
    bool stridable = true, output = false;
  };
  Table<Value> values(n);
  const auto is_made = [&](int value) { return values[value].made >= 0; };
  for (int i = 0; i < n; ++i) host[i] = i;
  for (int t = 0; t < steps; ++t) {
    const int root = order[std::size_t(t)];
    const Fused& f = of[root];
    Value& own = values[f.last];
    own.made = t;
    const bool strided = Backend::honours_item_stride(nodes[root].operation);
    own.stridable &= strided;
    const auto read = [&](int value) {
      Value& v = values[storage[value]];
      v.last_read = t;
      // An alias with other items cannot be addressed by an item stride.
      v.stridable &= strided && item_count(nodes[value].dims) == item_count(nodes[storage[value]].dims);
    };
    for (int k = 0; k < nodes[root].inputs; ++k)
      if (reads_elements(nodes[root], k)) read(inputs[nodes[root].first_input + k]);
    if (f.residual >= 0) read(f.residual);
  }
  for (int output : graph.outputs) {
    values[storage[output]].output = true;
    values[storage[output]].last_read = steps;
  }

  // 1. Concatenations: an operand is written where it belongs, if it is a step's result and not yet elsewhere.
  for (int t = 0; t < steps; ++t) {
    const int root = order[std::size_t(t)];
    if (!is<ops::Cat>(nodes[root].operation)) continue;
    const Dims& dims = nodes[root].dims;
    const int axis = wrap_dim(as<ops::Cat>(nodes[root].operation).dim, dims.rank);
    bool joins = true;
    for (int k = 0; k < nodes[root].inputs; ++k)
      joins = joins &&
              Backend::joins_items(dims, axis, arranged.layout(root), nodes[inputs[nodes[root].first_input + k]].dims);
    if (!joins) continue;
    const bool whole_items = axis > 0 && dims[0] > 1;  // operands will lie an item stride apart
    if (whole_items && !values[root].stridable) continue;
    result.joined[root] = true;
    idx at = 0;
    for (int k = 0; k < nodes[root].inputs; ++k) {
      const int operand = inputs[nodes[root].first_input + k], value = storage[operand];
      // A join of items inside one of channels would need two strides.
      const bool joins_items_itself =
          result.joined[value] && wrap_dim(as<ops::Cat>(nodes[value].operation).dim, dims.rank) == 0;
      const bool movable = is_made(value) && host[value] == value && !values[value].output &&
                           (!whole_items || (values[value].stridable && !joins_items_itself));
      if (movable) {
        host[value] = root;
        offset[value] = at;
      }
      at += axis == 0 ? arranged.size(operand) : arranged.item(operand);
    }
  }

  // 2. In place: a step writes over a residual or an operand that it is the last to read.
  for (int t = 0; t < steps; ++t) {
    const int root = order[std::size_t(t)], own = of[root].last;
    if (host[own] != own || result.joined[root]) continue;
    const auto take = [&](int operand) {
      const int value = storage[operand];
      if (host[own] == own && is_made(value) && values[value].last_read == t && !values[value].output &&
          !result.joined[result.top(value)] && nodes[value].dims == nodes[own].dims &&
          arranged.layout(value) == arranged.layout(own))
        host[own] = value;
    };
    if (of[root].residual >= 0) {
      // The kernel reads its operand while it writes: the two may not be one.
      if (Backend::writes_over_residual && storage[of[root].residual] != storage[inputs[nodes[root].first_input]])
        take(of[root].residual);
    } else if (Backend::works_in_place(nodes[root].operation)) {
      for (int k = 0; k < nodes[root].inputs; ++k) take(inputs[nodes[root].first_input + k]);
    }
  }

  // 3. Results go to the caller's memory where a buffer holds nothing else.
  for (int k = 0; k < int(graph.outputs.size()); ++k) {
    const int value = storage[graph.outputs[std::size_t(k)]];
    if (!is_made(value)) continue;
    const int buffer = result.top(value);
    Place& at = result.at[buffer];
    if (at.source == Source::nowhere && arranged.size(buffer) == arranged.size(value))
      at = {.source = Source::output, .dtype = nodes[buffer].dtype, .index = k};
  }

  // 4. Liveness of the other buffers, and first fit at the lowest offset.
  Table<int> last(n, -1);
  for (int t = 0; t < steps; ++t) {
    const int own = of[order[std::size_t(t)]].last, buffer = result.top(own);
    for (int end : {t, values[own].last_read})
      if (last[buffer] < end) last[buffer] = end;
    result.unplanned += round_up(arranged.size(own), arena_alignment);
  }
  Table<int> live(steps);
  int live_count = 0;
  const auto floats = [&](int buffer) { return round_up(arranged.size(buffer), arena_alignment); };
  for (int t = 0; t < steps; ++t) {
    const int buffer = result.top(of[order[std::size_t(t)]].last);
    if (result.at[buffer].source != Source::nowhere) continue;
    int kept = 0;
    for (int i = 0; i < live_count; ++i)
      if (last[live[i]] >= t) live[kept++] = live[i];
    live_count = kept;
    const idx size = floats(buffer);
    idx at = 0;
    for (bool moved = true; moved;) {
      moved = false;
      for (int i = 0; i < live_count; ++i) {
        const idx begin = result.at[live[i]].offset, end = begin + floats(live[i]);
        if (at < end && begin < at + size) at = end, moved = true;
      }
    }
    live[live_count++] = buffer;
    result.at[buffer] = {.source = Source::arena, .dtype = nodes[buffer].dtype, .offset = at};
    if (at + size > result.arena) result.arena = at + size;
  }
  return result;
}

}  // namespace lamina::planning
