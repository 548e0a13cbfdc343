/// The table of a model: its layers, what they give, and what they cost. In the manner of torchinfo.
#pragma once
#include "../reflect/outline.hpp"
#include "../reflect/requires_grad.hpp"
#include "counts.hpp"

namespace lamina {

namespace detail {
inline std::string text_of(const Dims& dims) { return std::string((Text{} << dims).view()); }

/// The shapes of what each module gives, where they are certain.
inline std::vector<std::string> outputs_of(const std::vector<ModuleCost>& costs, const Graph& graph) {
  std::vector<std::string> outputs;
  for (const ModuleCost& cost : costs) outputs.push_back(cost.shape_known ? text_of(cost.output) : "--");
  outputs[0].clear();
  for (int output : graph.outputs)
    outputs[0] += (outputs[0].empty() ? "" : ", ") + text_of(graph.nodes[std::size_t(output)].dims);
  return outputs;
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

/// " (G): 4.09": a number in the unit that suits it.
inline std::string scaled(idx number) {
  constexpr struct {
    double size;
    const char* name;
  } units[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "K"}, {1, "units"}};
  int unit = 0;
  while (unit < 4 && double(number) < units[unit].size) ++unit;
  return std::string(" (") + units[unit].name + "): " + two_decimals(double(number) / units[unit].size);
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

inline std::string summary_text(const std::vector<OutlineRow>& outline, const Graph& graph, idx trainable, int depth) {
  std::vector<const void*> addresses;
  for (const OutlineRow& row : outline) addresses.push_back(row.address);
  std::vector<ModuleCost> costs(outline.size());
  add_costs(costs, outline, owners_of_values(outline, addresses, graph), graph);
  const std::vector<std::string> outputs = outputs_of(costs, graph);
  const ForwardCosts totals = forward_costs_of(graph);

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
    const bool leaf = row.leaf(i);
    if (leaf && costs[std::size_t(i)].calls > 1)
      label += " (" + std::to_string(costs[std::size_t(i)].calls) + " calls)";
    if (row.depth <= depth) {
      const std::size_t lengths[] = {characters(label), outputs[std::size_t(i)].size()};
      for (int column = 0; column < 2; ++column)
        if (lengths[column] > widths[column]) widths[column] = lengths[column];
    }
    labels.push_back(std::move(label));
  }

  const std::string line(widths[0] + widths[1] + widths[2] + widths[3] + 6, '=');
  std::string out = line + '\n';
  append_columns(out, {"Layer (name: type)", "Output Shape", "Param #", "Mult-Adds"}, widths);
  out += line + '\n';
  for (std::size_t i = 0; i < outline.size(); ++i) {
    if (outline[i].depth > depth) continue;
    const ModuleCost& cost = costs[i];
    append_columns(out,
                   {labels[i], outputs[i], cost.parameters ? with_commas(cost.parameters) : "--",
                    cost.macs ? with_commas(cost.macs) : "--"},
                   widths);
  }

  const auto megabytes = [](idx bytes) { return two_decimals(double(bytes) / 1e6); };
  const Dims input = graph.nodes[0].dims;
  out += line + "\nTotal params: " + with_commas(costs[0].parameters);
  out += "\nTrainable params: " + with_commas(trainable);
  out += "\nTotal mult-adds" + scaled(totals.macs) + "\nTotal FLOPs" + scaled(2 * totals.products);
  out += "\nDepth (weight layers): " + std::to_string(totals.depth);
  if (input.rank == 3 || input.rank == 4) {
    const ReceptiveField field = receptive_field_of(graph, graph.outputs[0]);
    out += "\nReceptive field: " + std::to_string(field.height) + " x " + std::to_string(field.width);
  }
  out += '\n' + line + "\nInput size (MB): " + megabytes(totals.input_bytes);
  out += "\nForward pass size (MB): " + megabytes(totals.activation_bytes);
  out += "\nParams size (MB): " + megabytes(costs[0].parameter_bytes);
  out += "\nEstimated total size (MB): " +
         megabytes(totals.input_bytes + totals.activation_bytes + costs[0].parameter_bytes) + '\n';
  return out + line + '\n';
}
}  // namespace detail

/// A table of the modules of `net` down to `depth` levels, evaluated for inputs `Spec...` of static extents:
///   std::cout << summary<Shape<1, 3, 224, 224>>(net);
/// Parameters and multiply-adds of a module are those of everything below it. Its output is shown where it is certain:
/// for layers (the last, where one is called several times), for a Sequential, and for others where another layer reads
/// the value that was made last inside, or where functions that follow on it keep its shape. The numbers below the
/// table are those of the constants `macs`, `flops`, `depth`, `receptive_field` and `activation_bytes`
/// (meta/counts.hpp); trainable parameters are those that require gradients. MB is 10^6 bytes.
template <class... Spec, module M>
requires(sizeof...(Spec) > 0) std::string summary(const M& net, int depth = 3) {
  static_assert((is_static(input_spec<Spec>::shape_type::dims) && ...), "lamina: summary needs static extents");
  const Dims dims[] = {input_spec<Spec>::shape_type::dims...};
  return detail::summary_text(outline(net), record_graph<Spec...>(net, dims), count_trainable(net), depth);
}

/// The same with the shapes as arguments: `summary(net, Shape<1, 3, 224, 224>{})`.
template <module M, shape... S>
requires(sizeof...(S) > 0) std::string summary(const M& net, S...) { return summary<S...>(net); }

}  // namespace lamina
