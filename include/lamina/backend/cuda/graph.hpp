/// Operation graphs: what cuDNN's graph API computes in one call, as plain data. A plan step becomes such a graph
/// without a CUDA header being read, in a constant expression where its extents are known.
#pragma once
#include "../../core/dtype.hpp"
#include "../../ops/window.hpp"
#include <string>

namespace lamina::gpu {

/// A tensor of a graph. Extents are in PyTorch's order, [N, C, H, W] (a filter: [K, C / groups, R, S]); elements are
/// channels last in memory and packed.
struct GraphTensor {
  Dims dims{};
  Dtype dtype = Dtype::float32;
  bool in_memory = true;  ///< false for what one operation hands to the next
  friend constexpr bool operator==(const GraphTensor&, const GraphTensor&) = default;
};

/// An operation of a graph; operands and result are numbers of tensors, -1 where absent.
struct GraphNode {
  enum class Kind : unsigned char {
    convolution,    ///< result = a (image) * b (filter) under `window`
    backward_data,  ///< result = gradient of a convolution's image, a: that of its result, b: filter; a transposed
                    ///< convolution
    pointwise,      ///< result = function(a) or function(a, b); b may have extents of 1
    max_pool,       ///< result = maximum of a under `window`, padding is minus infinity
    average_pool,   ///< result = average of a under `window`; padding counts as zeros if count_padding
  };
  enum class Function : unsigned char { none, add, relu, leaky_relu, sigmoid, tanh, gelu, gelu_tanh, silu };
  Kind kind = Kind::convolution;
  Function function = Function::none;
  bool count_padding = false;
  float parameter = 0;  ///< the slope of leaky_relu
  ops::Window2d window{};
  int a = -1, b = -1, result = -1;
  friend constexpr bool operator==(const GraphNode&, const GraphNode&) = default;
};

/// How products are formed. Sums are float32 always.
enum class Math : unsigned char {
  strict,         ///< as the operands' type says: no engine that rounds float32 operands
  tensorfloat32,  ///< float32 operands may be rounded to 10 bits of mantissa
};

/// Operations in the order in which they run, each on tensors that are in memory or were made before. The tensors of a
/// call are those that are in memory, in the order of their numbers.
struct OperationGraph {
  static constexpr int most_tensors = 10, most_nodes = 6;
  GraphTensor tensors[most_tensors]{};
  GraphNode nodes[most_nodes]{};
  int tensor_count = 0, node_count = 0;
  Math math = Math::strict;

  constexpr int add(const GraphTensor& tensor) {
    tensors[tensor_count] = tensor;
    return tensor_count++;
  }
  constexpr void add(const GraphNode& node) { nodes[node_count++] = node; }
  friend constexpr bool operator==(const OperationGraph&, const OperationGraph&) = default;
};

constexpr std::string_view kind_name(GraphNode::Kind kind) {
  constexpr std::string_view names[] = {"convolution", "backward_data", "pointwise", "max_pool", "average_pool"};
  return names[int(kind)];
}
constexpr std::string_view function_name(GraphNode::Function function) {
  constexpr std::string_view names[] = {"none", "add",  "relu",      "leaky_relu", "sigmoid",
                                        "tanh", "gelu", "gelu_tanh", "silu"};
  return names[int(function)];
}

}  // namespace lamina::gpu
