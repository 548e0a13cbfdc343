/// What the steps of a compiled model cost, as data; and how a step is told apart from its kind.
#pragma once
#include "../meta/summary.hpp"
#include "../plan/arrange.hpp"
#include "run.hpp"

namespace lamina::inline LAMINA_ISA {

/// One step: a call of a kernel.
struct StepProfile {
  int index = 0;  ///< in the plan. Steps without a kernel, those of parameters that are operands, are left out.
  /// The layer, as checkpoints name it: layer1.0.conv1. Empty for functions (+, cat) and for copies that only change
  /// the layout.
  std::string path{};
  Operation operation{};
  std::string name{};          ///< of the operation: "conv2d 3x3 /2", the window and its stride; "linear", "relu"
  std::string fused{};         ///< what follows in the same kernel, in this order: "batch norm, sum, relu"
  std::string method{};        ///< of convolutions and linear layers (host::method_name); of copies the new layout
  std::vector<Dims> inputs{};  ///< without the other operand of a fused sum
  Dims output{};
  idx macs = 0;  ///< as lamina::macs counts them
  /// Multiply-adds of direct sums: macs, but for transposed convolutions, of which torchinfo counts stride^2 times as
  /// many.
  idx products = 0;
  idx bytes_read = 0, bytes_written = 0;  ///< operands and packed weights; the result
  double best_ms = 0, median_ms = 0;      ///< of all calls
  double gflops = 0;                      ///< 2 * products in the best time
  double peak_percent = 0;                ///< of the peak. Winograd needs fewer multiply-adds and may pass 100.

  double gbytes_per_second() const { return best_ms > 0 ? 1e-6 * double(bytes_read + bytes_written) / best_ms : 0; }
};

/// A profile of a compiled model: `std::cout << profile(engine, x)` prints a table, to_svg makes a picture.
struct Profile {
  std::string model{};  ///< the class, as printed
  int threads = 1, calls = 0;
  idx micro_batches = 1;              ///< of which the first is shown
  double peak_gflops = 0;             ///< measured (host::measure_peak)
  double best_ms = 0, median_ms = 0;  ///< of whole calls, all steps
  std::vector<StepProfile> steps{};

  idx macs() const {
    idx sum = 0;
    for (const StepProfile& step : steps) sum += step.macs;
    return sum;
  }
  double gflops() const {
    idx sum = 0;
    for (const StepProfile& step : steps) sum += step.products;
    return best_ms > 0 ? 2e-6 * double(sum) / best_ms : 0;
  }
  double peak_percent() const { return peak_gflops > 0 ? 100 * gflops() / peak_gflops : 0; }
};

namespace execution {
/// "conv2d 3x3 /2"
inline std::string describe(const Operation& operation) {
  std::string text(name_of(operation));
  const auto add_window = [&](const ops::Window2d& w) {
    const ops::Window &h = w.height, &v = w.width;
    text += ' ' + std::to_string(h.kernel) + 'x' + std::to_string(v.kernel);
    if (h.stride == v.stride && h.stride == 1) return;
    text += " /" + std::to_string(h.stride);
    if (h.stride != v.stride) text += 'x' + std::to_string(v.stride);
  };
  if (is<ops::Conv2d>(operation)) add_window(as<ops::Conv2d>(operation).window);
  else if (is<ops::ConvTranspose2d>(operation)) add_window(as<ops::ConvTranspose2d>(operation).window);
  else if (is<ops::MaxPool2d>(operation)) add_window(as<ops::MaxPool2d>(operation).window);
  else if (is<ops::AvgPool2d>(operation)) add_window(as<ops::AvgPool2d>(operation).window);
  else if (is<ops::Activation>(operation)) text = as<ops::Activation>(operation).function();
  else if (is<ops::Binary>(operation)) text = as<ops::Binary>(operation).function();
  return text;
}

/// "batch norm, sum, relu"
inline std::string describe_fused(const planning::Step& step) {
  std::string text;
  const auto add = [&](std::string_view name) { (text += text.empty() ? "" : ", ") += name; };
  if (step.has_norm) add("batch norm");
  if (step.has_residual) add("sum");
  if (step.activation.kind != ops::Activation::Kind::identity) add(step.activation.function());
  return text;
}

/// The step as a graph of one node over its operands.
inline Graph graph_of(const planning::Step& step, const planning::Place* operands) {
  Graph graph;
  for (int k = 0; k < step.operands; ++k) {
    graph.inputs.push_back(k);
    graph.nodes.push_back({.dims = operands[k].dims});
  }
  graph.nodes.push_back({.operation = step.operation, .inputs = step.operands - step.has_residual});
  return graph;
}

/// The steps of a plan, without times. `layers` has the path of each step's layer.
inline std::vector<StepProfile> describe(const Program& program, const std::vector<std::string>& layers) {
  const auto bytes = [](const planning::Place& place) {
    return elements(place.dims, place.layout) * idx(item_size(place.dtype));
  };
  std::vector<StepProfile> profiles;
  for (int i = 0; i < program.count; ++i) {
    const planning::Step& step = program.steps[i];
    if (step.operands == 0) continue;
    const planning::Place* const operands = program.operands + step.first_operand;
    const Graph graph = graph_of(step, operands);
    const Node& node = graph.nodes.back();
    StepProfile profile{.index = i, .path = layers[std::size_t(i)], .operation = step.operation};
    profile.name = describe(step.operation);
    profile.fused = describe_fused(step);
    if (role_of(step.operation) == ops::Role::producer) profile.method = host::method_name(host::Method(step.method));
    else if (is<ops::Copy>(step.operation) && operands[0].layout != step.out.layout)
      profile.method = "to " + std::string(layout_name(step.out.layout));
    for (int k = 0; k < node.inputs; ++k) profile.inputs.push_back(operands[k].dims);
    profile.output = step.out.dims;
    profile.macs = profile.products = macs_of(graph, node);
    if (is<ops::ConvTranspose2d>(step.operation))
      profile.products = as<ops::ConvTranspose2d>(step.operation).products(operands[0].dims);
    profile.bytes_read = step.weight_floats * idx(sizeof(float));
    for (int k = 0; k < step.operands; ++k)
      if (planning::reads_elements(node, k)) profile.bytes_read += bytes(operands[k]);
    profile.bytes_written = bytes(step.out);
    profiles.push_back(std::move(profile));
  }
  return profiles;
}

/// "; the first of 8 micro-batches"
inline std::string describe_micro_batches(idx count) {
  return count == 1 ? "" : "; the first of " + std::to_string(count) + " micro-batches";
}

/// A number with so many decimals.
inline std::string decimals(double value, int places) {
  char buffer[64];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, places).ptr};
}
/// Decimals of milliseconds: microseconds where a call takes one or more milliseconds, else ten nanoseconds.
inline int time_decimals(const Profile& profile) { return profile.best_ms < 1 ? 5 : 3; }
}  // namespace execution

}  // namespace lamina::inline LAMINA_ISA
