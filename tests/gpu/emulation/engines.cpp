/// Which engines the emulated cuDNN has for a graph: what cuDNN 9.19 was found to have for GPUs of compute
/// capability 8.0 to 10.0, channels last.
#include "descriptor.hpp"
#include "state.hpp"
#include <algorithm>

namespace emulation {
namespace {

constexpr auto tensor_core = CUDNN_NUMERICAL_NOTE_TENSOR_CORE;
const std::vector<cudnnBackendBehaviorNote_t> compiled_at_run_time = {
    CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION, CUDNN_BEHAVIOR_NOTE_SUPPORTS_CUDA_GRAPH_NATIVE_API};

bool is_pointwise(const Descriptor& operation) {
  return operation.type == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR;
}

bool is_channels_last(const TensorShape& tensor) {
  return tensor.dims.size() != 4 || tensor.dims[1] == 1 || tensor.strides[1] == 1;
}

/// All four-dimensional tensors have their channels last.
bool has_channels_last(const Descriptor& graph) {
  for (const auto& operation : graph.children(CUDNN_ATTR_OPERATIONGRAPH_OPS)) {
    const Operands operands = operands_of(*operation);
    for (const Descriptor* tensor : operands.reads)
      if (!is_channels_last(shape_of(*tensor))) return false;
    if (!is_channels_last(shape_of(*operands.writes))) return false;
  }
  return true;
}

/// The engines of a convolution forward or backward, alone or with an epilogue.
std::vector<Engine> convolution_engines(const Descriptor& convolution, bool alone) {
  const Operands operands = operands_of(convolution);
  const cudnnDataType_t type = shape_of(*operands.reads[0]).type;
  const bool backward = convolution.type == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR;
  const Descriptor& image = backward ? *operands.writes : *operands.reads[0];
  const bool grouped = shape_of(image).dims[1] != shape_of(*operands.reads[1]).dims[1];
  const bool depthwise = grouped && shape_of(*operands.reads[1]).dims[1] == 1;
  if (!alone && type == CUDNN_DATA_BFLOAT16 && (depthwise || (grouped && backward))) return {};
  if (depthwise) return {{5, {}, {CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION}}};
  std::vector<Engine> engines = {
      {alone ? 67 : 7, {tensor_core}, alone ? decltype(compiled_at_run_time){} : compiled_at_run_time}};
  if (type != CUDNN_DATA_FLOAT) return engines;
  if (backward) engines.push_back({25, {CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC}, {}});
  engines.push_back({alone ? 70 : 8, {}, alone ? decltype(compiled_at_run_time){} : compiled_at_run_time});
  return engines;
}

/// Sums over everything but the channels.
std::vector<Engine> reduction_engines(const Descriptor& operation) {
  const Operands operands = operands_of(operation);
  const auto x = shape_of(*operands.reads[0]).dims, y = shape_of(*operands.writes).dims;
  if (x.size() != 4 || y != std::vector<std::int64_t>{1, x[1], 1, 1}) return {};
  return {{1, {tensor_core}, compiled_at_run_time}};
}

}  // namespace

std::vector<Engine> engines_for(const Descriptor& graph, cudnnBackendHeurMode_t mode, const std::string& device) {
  if (number_in(device, "deviceVer") < 800 || !has_channels_last(graph)) return {};
  const auto& operations = graph.children(CUDNN_ATTR_OPERATIONGRAPH_OPS);
  const Descriptor& first = *operations[0];
  const bool epilogue =
      std::all_of(operations.begin() + 1, operations.end(), [](const auto& one) { return is_pointwise(*one); });
  const bool alone = operations.size() == 1;
  if (!epilogue) return {};
  std::vector<Engine> engines;
  switch (first.type) {
  case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
  case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR: engines = convolution_engines(first, alone); break;
  case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR:
  case CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR: engines = {{7, {tensor_core}, compiled_at_run_time}}; break;
  case CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR:
    if (alone) engines = {{3, {}, compiled_at_run_time}};
    break;
  case CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR:
    if (alone) engines = reduction_engines(first);
    break;
  default: break;
  }
  if (mode == CUDNN_HEUR_MODE_FALLBACK && !engines.empty()) engines.erase(engines.begin(), engines.end() - 1);
  return engines;
}

/// Some bytes for every engine that has products, so that clients have to lend them.
std::int64_t workspace_of(const Descriptor& graph, const Engine& engine) {
  const Descriptor& first = *graph.children(CUDNN_ATTR_OPERATIONGRAPH_OPS)[0];
  if (is_pointwise(first) || first.type == CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR) return 0;
  if (first.type == CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR) return 0;
  return engine.has(tensor_core) ? 131 : shape_of(*operands_of(first).reads[1]).bytes() + 131;
}

}  // namespace emulation
