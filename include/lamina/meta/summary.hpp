/// The table of a model: its layers, what they give, and what they cost. In the manner of torchinfo.
#pragma once
#include "../reflect/outline.hpp"
#include "meta.hpp"

namespace lamina {

namespace detail {
/// What the table says about one module.
struct SummaryRow {
  std::string output = "--";
  int calls = 0;
  idx parameters = 0, parameter_bytes = 0, macs = 0;  // of the module and everything below it
};

struct SummaryTotals {
  idx macs = 0, input_bytes = 0, forward_bytes = 0;
};

/// The row of the layer that made each value, or -1 for functions and inputs. Only modules without children make
/// values; no two of them have the same address. Layers make values in about the order of their rows, so a search goes
/// on from the last hit.
inline std::vector<int> rows_of_values(const std::vector<OutlineRow>& outline, const Graph& graph) {
  std::vector<int> rows(graph.nodes.size(), -1);
  std::size_t row = 0;
  for (std::size_t value = 0; value < rows.size(); ++value)
    for (std::size_t tried = 0; graph.nodes[value].layer && tried < outline.size(); ++tried) {
      const bool leaf = outline[row].end == int(row) + 1;
      if (leaf && outline[row].address == graph.nodes[value].layer) {
        rows[value] = int(row);
        break;
      }
      row = row + 1 == outline.size() ? 0 : row + 1;
    }
  return rows;
}

/// What a module gives is certain where the value that was made last inside it leaves it: as a result of the model, or
/// because a layer outside reads it. A value that only functions read (cat, +) may be one on the way to the result.
inline bool leaves(const Graph& graph, const std::vector<int>& row_of, int value, int first_row, int end_row) {
  for (int output : graph.outputs)
    if (output == value) return true;
  for (std::size_t reader = std::size_t(value) + 1; reader < graph.nodes.size(); ++reader) {
    const Node& node = graph.nodes[reader];
    const bool outside = row_of[reader] >= 0 && (row_of[reader] < first_row || row_of[reader] >= end_row);
    for (int i = 0; outside && i < node.inputs; ++i)
      if (graph.input(node, i) == value) return true;
  }
  return false;
}

inline std::string text_of(const Dims& dims) { return std::string((Text{} << dims).view()); }

inline std::vector<SummaryRow> summary_rows(const std::vector<OutlineRow>& outline, const Graph& graph) {
  const int count = int(outline.size());
  std::vector<SummaryRow> rows(outline.size());
  std::vector<int> last_value(outline.size(), -1);
  const std::vector<int> row_of = rows_of_values(outline, graph);
  for (std::size_t value = 0; value < graph.nodes.size(); ++value) {
    if (row_of[value] < 0) continue;
    SummaryRow& row = rows[std::size_t(row_of[value])];
    row.macs += macs_of(graph, graph.nodes[value]);
    ++row.calls;
    last_value[std::size_t(row_of[value])] = int(value);
  }
  // From the last row up, the rows below a module are complete when it is reached.
  for (int i = count - 1; i >= 0; --i) {
    const OutlineRow& module_row = outline[std::size_t(i)];
    SummaryRow& row = rows[std::size_t(i)];
    row.parameters += module_row.parameters;
    row.parameter_bytes += module_row.parameter_bytes;
    int& last = last_value[std::size_t(i)];
    int last_child = i;
    for (int child = i + 1; child < module_row.end; child = outline[std::size_t(child)].end) {
      row.parameters += rows[std::size_t(child)].parameters;
      row.parameter_bytes += rows[std::size_t(child)].parameter_bytes;
      row.macs += rows[std::size_t(child)].macs;
      if (last_value[std::size_t(child)] > last) last = last_value[std::size_t(child)];
      last_child = child;
    }
    const bool leaf = module_row.end == i + 1;
    if (module_row.chains && !leaf) row.output = rows[std::size_t(last_child)].output;
    else if (last >= 0 && (leaf || (module_row.has_forward && leaves(graph, row_of, last, i, module_row.end))))
      row.output = text_of(graph.nodes[std::size_t(last)].dims);
  }
  rows[0].output.clear();
  for (int output : graph.outputs)
    rows[0].output += (rows[0].output.empty() ? "" : ", ") + text_of(graph.nodes[std::size_t(output)].dims);
  return rows;
}

inline SummaryTotals summary_totals(const Graph& graph) {
  SummaryTotals totals;
  totals.macs = macs_of(graph);
  for (const Node& node : graph.nodes) {
    const idx bytes = count(node.dims) * idx(item_size(node.dtype));
    if (is<ops::Input>(node.operation)) totals.input_bytes += bytes;
    else if (role_of(node.operation) != ops::Role::leaf && role_of(node.operation) != ops::Role::alias)
      totals.forward_bytes += bytes;
  }
  return totals;
}

inline std::string with_commas(idx n) {
  std::string text = std::to_string(n);
  for (int i = int(text.size()) - 3; i > 0; i -= 3) text.insert(std::size_t(i), 1, ',');
  return text;
}
inline std::string two_decimals(double value) {
  char buffer[48];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, 2).ptr};
}

/// Characters of UTF-8, whose further bytes begin with the bits 10.
inline std::size_t characters(std::string_view text) {
  std::size_t n = 0;
  for (char c : text) n += (c & 0xc0) != 0x80;
  return n;
}

/// A line of the table.
inline void append_columns(std::string& out, const std::string (&cells)[4], const std::size_t (&widths)[4]) {
  for (int i = 0; i < 4; ++i) {
    const std::size_t length = characters(cells[i]);
    const std::string filler(widths[i] > length ? widths[i] - length : 0, ' ');
    const bool text = i < 2;  // numbers are aligned at the right
    out += text ? cells[i] + filler : filler + cells[i];
    if (i < 3) out += "  ";
  }
  while (out.back() == ' ') out.pop_back();
  out += '\n';
}

inline std::string summary_text(const std::vector<OutlineRow>& outline, const Graph& graph, int depth) {
  const std::vector<SummaryRow> rows = summary_rows(outline, graph);
  const SummaryTotals totals = summary_totals(graph);

  std::vector<std::string> labels;
  std::size_t widths[4] = {24, 16, 12, 14};
  std::string indent;  // of the module at hand: five characters a level
  std::vector<std::size_t> indent_size{0, 0};
  for (int i = 0; i < int(outline.size()); ++i) {
    const OutlineRow& row = outline[std::size_t(i)];
    std::string label;
    if (row.depth > 0) {
      int parent = i - 1;
      while (outline[std::size_t(parent)].depth >= row.depth) --parent;
      const bool last = row.end == outline[std::size_t(parent)].end;
      indent_size.resize(std::size_t(row.depth) + 1);
      indent.resize(indent_size.back());
      label = indent + (last ? "└─" : "├─") + std::string(row.name) + ": ";
      indent += last ? "     " : "│    ";
      indent_size.push_back(indent.size());
    }
    label += row.class_name;
    if (rows[std::size_t(i)].calls > 1) label += " (" + std::to_string(rows[std::size_t(i)].calls) + " calls)";
    if (row.depth <= depth) {
      const std::size_t lengths[] = {characters(label), rows[std::size_t(i)].output.size()};
      for (int column = 0; column < 2; ++column)
        if (lengths[column] > widths[column]) widths[column] = lengths[column];
    }
    labels.push_back(std::move(label));
  }

  const std::string line(widths[0] + widths[1] + widths[2] + widths[3] + 6, '=');
  std::string out = line + '\n';
  append_columns(out, {"Layer (name: type)", "Output Shape", "Param #", "Mult-Adds"}, widths);
  out += line + '\n';
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (outline[i].depth > depth) continue;
    const idx macs = i == 0 ? totals.macs : rows[i].macs;
    append_columns(out,
                   {labels[i], rows[i].output, rows[i].parameters ? with_commas(rows[i].parameters) : "--",
                    macs ? with_commas(macs) : "--"},
                   widths);
  }

  constexpr struct {
    double size;
    const char* name;
  } units[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "K"}, {1, "units"}};
  int unit = 0;
  while (unit < 4 && double(totals.macs) < units[unit].size) ++unit;
  const auto megabytes = [](idx bytes) { return two_decimals(double(bytes) / 1e6); };
  out += line + "\nTotal params: " + with_commas(rows[0].parameters);
  out += "\nTrainable params: " + with_commas(rows[0].parameters);
  out += std::string("\nTotal mult-adds (") + units[unit].name +
         "): " + two_decimals(double(totals.macs) / units[unit].size) + '\n';
  out += line + "\nInput size (MB): " + megabytes(totals.input_bytes);
  out += "\nForward pass size (MB): " + megabytes(totals.forward_bytes);
  out += "\nParams size (MB): " + megabytes(rows[0].parameter_bytes);
  out +=
      "\nEstimated total size (MB): " + megabytes(totals.input_bytes + totals.forward_bytes + rows[0].parameter_bytes) +
      '\n';
  return out + line + '\n';
}
}  // namespace detail

/// A table of the modules of `net` down to `depth` levels, evaluated for inputs `Spec...` of static extents:
///   std::cout << summary<Shape<1, 3, 224, 224>>(net);
/// Parameters and multiply-adds of a module are those of everything below it. Its output is shown where it is certain:
/// for layers (the last, where one is called several times), for a Sequential, and for others where another layer reads
/// the value that was made last inside. The forward pass is the size of all values that the operations make, views
/// aside; MB is 10^6 bytes.
template <class... Spec, module M>
requires(sizeof...(Spec) > 0) std::string summary(const M& net, int depth = 3) {
  static_assert((is_static(input_spec<Spec>::shape_type::dims) && ...), "lamina: summary needs static extents");
  const Dims dims[] = {input_spec<Spec>::shape_type::dims...};
  return detail::summary_text(outline(net), record_graph<Spec...>(net, dims), depth);
}

/// The same with the shapes as arguments: `summary(net, Shape<1, 3, 224, 224>{})`.
template <module M, shape... S>
requires(sizeof...(S) > 0) std::string summary(const M& net, S...) { return summary<S...>(net); }

}  // namespace lamina
