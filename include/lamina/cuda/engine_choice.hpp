/// Engines of cuDNN that may compute a graph.
#pragma once
#include "device_properties.hpp"
#include "graph_descriptors.hpp"

namespace lamina::gpu {

/// What is asked of an engine, beside what the `math` of a graph says.
struct EnginePolicy {
  bool deterministic = false;  ///< the same bits at every call
  friend constexpr bool operator==(const EnginePolicy&, const EnginePolicy&) = default;
};

/// An engine with its knobs set, as cuDNN's heuristics propose it.
struct EngineChoice {
  Descriptor config;
  std::int64_t engine = 0;  ///< its number among those of the graph
  std::vector<cudnnBackendNumericalNote_t> notes{};

  bool has(cudnnBackendNumericalNote_t note) const {
    for (const auto n : notes)
      if (n == note) return true;
    return false;
  }
};

namespace detail {
/// True if products of float32 are formed, which some engines round.
constexpr bool multiplies_float32(const OperationGraph& graph) {
  for (int i = 0; i < graph.node_count; ++i) {
    const GraphNode& node = graph.nodes[i];
    const bool multiplies = node.kind == GraphNode::Kind::convolution || node.kind == GraphNode::Kind::backward_data;
    if (multiplies && graph.tensors[node.a].dtype == Dtype::float32) return true;
  }
  return false;
}
}  // namespace detail

/// Why an engine may not compute a graph; empty if it may.
inline std::string_view refusal_of(const EngineChoice& choice, const OperationGraph& graph, EnginePolicy policy) {
  if (policy.deterministic && choice.has(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC)) return "its results vary";
  if (graph.math != Math::strict || !detail::multiplies_float32(graph)) return {};
  if (choice.has(CUDNN_NUMERICAL_NOTE_TENSOR_CORE)) return "it rounds float32 to tensorfloat32";
  if (choice.has(CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS)) return "it rounds its operands";
  if (choice.has(CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION)) return "it rounds its sums";
  return {};
}

/// What the heuristics propose, the fastest first. Throws cudnn_error.
inline std::vector<EngineChoice> engine_choices(const GraphDescriptors& graph, const DeviceProperties& device,
                                                cudnnBackendHeurMode_t mode) {
  Descriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, "the heuristics");
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph.get());
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, device.descriptor());
  heuristics.finalize();
  std::vector<EngineChoice> choices;
  for (Descriptor& config : heuristics.descriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR,
                                                   "the choice of an engine")) {
    Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR, "an engine");
    config.read(CUDNN_ATTR_ENGINECFG_ENGINE, engine);
    const auto number = engine.values<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, 1);
    auto notes =
        engine.values<cudnnBackendNumericalNote_t>(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
    choices.push_back({std::move(config), number.at(0), std::move(notes)});
  }
  return choices;
}

}  // namespace lamina::gpu
