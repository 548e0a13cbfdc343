/// A model as a picture: its graph in the language of Graphviz.
#pragma once
#include "../reflect/outline.hpp"
#include "module_costs.hpp"

namespace lamina {

/// How to_dot draws.
struct DotOptions {
  int depth = 99;             ///< modules below so many levels are drawn as one box
  bool horizontal = false;    ///< from left to right instead of from top to bottom
  bool layer_options = true;  ///< what a layer prints about itself
};

namespace detail {
/// The text between quotation marks.
inline std::string dot_quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n') quoted += "\\n";
    else quoted += c;
  }
  return quoted + '"';
}

/// Writes nodes and clusters of the values of a graph.
class DotWriter {
  const std::vector<OutlineRow>& rows;
  const Graph& graph;
  const DotOptions& options;
  Table<int> owner;
  Table<int> box;  // the value that stands for each value: the last of a module that is drawn as one box
  std::string out;

 public:
  DotWriter(const std::vector<OutlineRow>& rows, const Graph& graph, const DotOptions& options)
      : rows(rows), graph(graph), options(options), owner(owners_of_values(rows, addresses_of(rows), graph)),
        box(int(graph.nodes.size())) {
    // Functions that nobody's layers surround are drawn beside the modules.
    for (int value = 0; value < box.size(); ++value) box[value] = value;
    for (int row = 1; row < int(rows.size()); ++row)
      if (drawn_as_box(row)) gather(row);
  }

  std::string write() && {
    out += "digraph " + dot_quoted(rows[0].class_name) + " {\n";
    out += options.horizontal ? "rankdir=LR\n" : "";
    out += "fontname=\"Helvetica\" fontsize=11 style=rounded color=gray60\n"
           "node [shape=box style=filled fillcolor=white fontname=\"Helvetica\" fontsize=10 height=0.2 "
           "margin=\"0.08,0.03\"]\n"
           "edge [fontname=\"Helvetica\" fontsize=8 color=gray30 arrowsize=0.6]\n";
    write_nodes(0);
    write_results();
    write_edges();
    return std::move(out += "}\n");
  }

 private:
  static std::vector<const void*> addresses_of(const std::vector<OutlineRow>& rows) {
    std::vector<const void*> addresses;
    for (const OutlineRow& row : rows) addresses.push_back(row.address);
    return addresses;
  }
  const OutlineRow& row_at(int row) const { return rows[std::size_t(row)]; }
  const Node& node(int value) const { return graph.nodes[std::size_t(value)]; }
  bool drawn_as_box(int row) const { return row_at(row).depth == options.depth && !row_at(row).leaf(row); }
  void gather(int row) {
    int last = -1;
    for (int value = box.size() - 1; value >= 0; --value)
      if (owner[value] >= row && owner[value] < row_at(row).end) {
        if (last < 0) last = value;
        box[value] = last;
      }
  }

  std::string id(int value) const { return "n" + std::to_string(box[value]); }
  /// The options of a layer, some to a line.
  static std::string wrapped(std::string_view text) {
    std::string lines;
    std::size_t length = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      lines += text[i];
      ++length;
      const bool between = text[i] == ' ' && i > 0 && text[i - 1] == ',';
      if (between && length > 24) lines.back() = '\n', length = 0;
    }
    return lines;
  }
  void write_node(int value) {
    const Node& n = node(value);
    std::string label, style;
    const int row = owner[value];
    if (is<ops::Input>(n.operation)) {
      label = "input" + (as<ops::Input>(n.operation).index > 0 ? ' ' + std::to_string(as<ops::Input>(n.operation).index)
                                                               : std::string());
      style = " shape=ellipse fillcolor=gray90";
    } else if (n.layer || box_row(value) >= 0) {
      const int module = box_row(value) >= 0 ? box_row(value) : row;
      label = std::string(row_at(module).name) + ": " + std::string(row_at(module).class_name);
      if (options.layer_options && !row_at(module).own_text.empty()) label += '\n' + wrapped(row_at(module).own_text);
      style = fill_of(n, box_row(value) >= 0);
    } else {
      label = is<ops::Activation>(n.operation) ? std::string(as<ops::Activation>(n.operation).function())
              : is<ops::Binary>(n.operation)   ? std::string(as<ops::Binary>(n.operation).function())
                                               : std::string(name_of(n.operation));
      style = " shape=ellipse fillcolor=lightyellow";
    }
    out += id(value) + " [label=" + dot_quoted(label) + style + "]\n";
  }
  static std::string fill_of(const Node& n, bool whole_module) {
    if (whole_module) return " fillcolor=gray95";
    if (role_of(n.operation) == ops::Role::producer) return " fillcolor=lightblue";
    if (is<ops::BatchNorm>(n.operation) || is<ops::LayerNorm>(n.operation) || is<ops::GroupNorm>(n.operation))
      return " fillcolor=honeydew";
    return {};
  }
  /// The row of the module that is drawn as one box around a value, or -1.
  int box_row(int value) const {
    for (int row = owner[value]; row >= 0; row = row_at(row).parent)
      if (drawn_as_box(row)) return row;
    return -1;
  }
  /// The values of a module and, in clusters, those of the modules below it.
  void write_nodes(int row) {
    for (int value = 0; value < box.size(); ++value)
      if (box[value] == value && place_of(value) == row) write_node(value);
    for (int child = row + 1; child < row_at(row).end; child = row_at(child).end) {
      if (row_at(child).leaf(child) || row_at(child).depth >= options.depth || !has_values(child)) continue;
      out += "subgraph cluster_" + std::to_string(child) +
             " {\nlabel=" + dot_quoted(std::string(row_at(child).name) + ": " + std::string(row_at(child).class_name)) +
             '\n';
      write_nodes(child);
      out += "}\n";
    }
  }
  bool has_values(int row) const {
    for (int value = 0; value < box.size(); ++value)
      if (owner[value] >= row && owner[value] < row_at(row).end) return true;
    return false;
  }
  /// The module whose cluster a value is drawn in.
  int place_of(int value) const {
    int row = box_row(value) >= 0 ? box_row(value) : owner[value];
    return node(value).layer || box_row(value) >= 0 ? (row > 0 ? row_at(row).parent : 0) : row;
  }
  void write_results() {
    for (std::size_t i = 0; i < graph.outputs.size(); ++i)
      out += "out" + std::to_string(i) + " [label=\"output" + (i > 0 ? ' ' + std::to_string(i) : std::string()) +
             "\" shape=ellipse fillcolor=gray90]\n";
  }
  /// Edges say the extents of what goes along them. One that passes others by is a skip: dashed, and without a say in
  /// where its ends are placed.
  void write_edges() {
    Table<int> position(box.size());  // of the values that are drawn
    for (int value = 0, drawn = 0; value < box.size(); ++value) position[value] = box[value] == value ? drawn++ : -1;
    const auto edge = [&](int from, const std::string& to, bool skip) {
      const std::string extents(Text{}.operator<<(node(from).dims).view());
      out += id(from) + " -> " + to + " [label=" + dot_quoted(extents.substr(1, extents.size() - 2)) +
             (skip ? " style=dashed color=firebrick penwidth=1.5" : "") + "]\n";
    };
    for (int value = 0; value < box.size(); ++value)
      for (int k = 0; k < node(value).inputs; ++k) {
        const int from = graph.input(node(value), k);
        if (box[from] == box[value]) continue;
        bool joined = false;  // another operand that is made later
        for (int other = 0; other < node(value).inputs; ++other)
          joined = joined || graph.input(node(value), other) > from;
        edge(from, id(value), joined);
      }
    for (std::size_t i = 0; i < graph.outputs.size(); ++i) edge(graph.outputs[i], "out" + std::to_string(i), false);
  }
};
}  // namespace detail

/// The graph of `net` for inputs `Spec...` of static extents, for Graphviz:
///   std::ofstream("net.dot") << to_dot<Shape<1, 3, 224, 224>>(net);      // dot -Tsvg net.dot > net.svg
/// Layers are boxes with what they print of themselves, functions (cat, +) ellipses, modules frames around them. Edges
/// have the extents of what goes along them; dashed ones pass layers by.
template <class... Spec, module M>
requires(sizeof...(Spec) > 0) std::string to_dot(const M& net, const DotOptions& options = {}) {
  static_assert((is_static(input_spec<Spec>::shape_type::dims) && ...), "lamina: to_dot needs static extents");
  const Dims dims[] = {input_spec<Spec>::shape_type::dims...};
  return detail::DotWriter(outline(net), record_graph<Spec...>(net, dims), options).write();
}

/// The same with a shape as argument: `to_dot(net, Shape<1, 3, 224, 224>{})`.
template <module M, shape S> std::string to_dot(const M& net, S, const DotOptions& options = {}) {
  return to_dot<S>(net, options);
}

}  // namespace lamina
