/// What tests of the emulated cuDNN share: graphs, and calls of their plans.
#pragma once
#include "machine.hpp"
#include <lamina/cuda/execution_plan.hpp>
#include <memory>

namespace emulation_test {
using namespace lamina::gpu;
using lamina::Dims;
using lamina::Dtype;
using lamina::idx;
using Kind = GraphNode::Kind;
using Function = GraphNode::Function;
using Floats = std::vector<float>;

/// Square: the same along both axes.
inline lamina::ops::Window2d square(int kernel, int stride = 1, int padding = 0, int dilation = 1) {
  const lamina::ops::Window one{kernel, stride, padding, padding, dilation};
  return {one, one};
}

/// A graph, built of what is handed from one operation to the next.
struct Graph {
  OperationGraph data{};
  explicit Graph(Math math = Math::strict) { data.math = math; }

  int tensor(const Dims& dims, Dtype dtype = Dtype::float32) { return data.add(GraphTensor{dims, dtype, true}); }
  int between(const Dims& dims, Dtype dtype = Dtype::float32) { return data.add(GraphTensor{dims, dtype, false}); }
  void products(Kind kind, const lamina::ops::Window2d& window, int a, int b, int result) {
    GraphNode node{};
    node.kind = kind;
    node.window = window;
    node.a = a;
    node.b = b;
    node.result = result;
    data.add(node);
  }
  void pool(Kind kind, const lamina::ops::Window2d& window, int a, int result, bool count_padding = false) {
    products(kind, window, a, -1, result);
    data.nodes[data.node_count - 1].count_padding = count_padding;
  }
  void pointwise(Function function, int a, int b, int result, float parameter = 0) {
    products(Kind::pointwise, {}, a, b, result);
    data.nodes[data.node_count - 1].function = function;
    data.nodes[data.node_count - 1].parameter = parameter;
  }
};

struct Handle {
  cudnnHandle_t handle = nullptr;
  explicit Handle(const Stream& stream) {
    REQUIRE(cudnnCreate(&handle) == CUDNN_STATUS_SUCCESS);
    REQUIRE(cudnnSetStream(handle, stream) == CUDNN_STATUS_SUCCESS);
  }
  ~Handle() { cudnnDestroy(handle); }
  Handle(const Handle&) = delete;
  operator cudnnHandle_t() const { return handle; }
};

/// What a graph makes of the values of its tensors in memory, the last of which is its result. Values are in the order
/// of memory, channels last.
template <class T = float> std::vector<T> computed(const Graph& graph, const std::vector<std::vector<T>>& operands) {
  const Stream stream;
  const Handle handle(stream);
  const ExecutionPlan plan = make_plan(graph.data, DeviceProperties(0));
  std::vector<std::unique_ptr<Array<T>>> arrays;
  std::vector<void*> pointers;
  const auto add = [&](auto&&... values) {
    arrays.push_back(std::make_unique<Array<T>>(stream, values...));
    pointers.push_back(arrays.back()->data);
  };
  for (const auto& values : operands) add(values);
  const Dims& result = graph.data.tensors[graph.data.nodes[graph.data.node_count - 1].result].dims;
  add(std::size_t(result[0] * result[1] * result[2] * result[3]));
  const Array<char> workspace(stream, plan.workspace_bytes() + 1);
  plan.execute(handle, pointers.data(), workspace.data);
  return arrays.back()->values();
}

}  // namespace emulation_test
