/// Whether an operation graph makes sense. cuDNN computes something from some graphs that do not: from a bias of other
/// channels, or a tensor that nothing writes.
#pragma once
#include "graph.hpp"

namespace lamina::gpu {

namespace detail {
constexpr bool is_pool(const GraphNode& node) {
  return node.kind == GraphNode::Kind::max_pool || node.kind == GraphNode::Kind::average_pool;
}
constexpr bool reads_b(const GraphNode& node) {
  return node.kind == GraphNode::Kind::pointwise ? node.function == GraphNode::Function::add : !is_pool(node);
}

/// Node `i` and what is wrong there: "operation 1 (add): ".
constexpr Text at_node(const OperationGraph& graph, int i) {
  const GraphNode& node = graph.nodes[i];
  const bool pointwise = node.kind == GraphNode::Kind::pointwise;
  return Text{} << "operation " << i << " (" << (pointwise ? function_name(node.function) : kind_name(node.kind))
                << "): ";
}

constexpr Text tensor_fault(const GraphTensor& tensor) {
  if (tensor.dims.rank != 4) return Text{} << "needs 4 dimensions, it has " << tensor.dims;
  for (const idx n : tensor.dims)
    if (n < 1) return Text{} << "needs extents of 1 and above, it has " << tensor.dims;
  if (tensor.dtype != Dtype::float32 && tensor.dtype != Dtype::float16 && tensor.dtype != Dtype::bfloat16)
    return Text{} << "needs float32, float16 or bfloat16, it has " << dtype_name(tensor.dtype);
  return {};
}

/// Operands that are missing, too many, or no tensors of the graph.
constexpr Text operands_fault(const OperationGraph& graph, const GraphNode& node) {
  const auto absent = [&](int tensor) { return tensor < 0 || tensor >= graph.tensor_count; };
  if (absent(node.a) || absent(node.result) || (reads_b(node) && absent(node.b)))
    return Text{} << "reads " << node.a << " and " << node.b << ", writes " << node.result << "; the graph has "
                  << graph.tensor_count << " tensors";
  if (!reads_b(node) && node.b != -1) return Text{} << "takes one operand, the second is " << node.b;
  if ((node.kind == GraphNode::Kind::pointwise) == (node.function == GraphNode::Function::none))
    return Text{} << "its function is " << function_name(node.function);
  return {};
}

/// What is read before it is made, and what is made twice. `made` is for each tensor the number of operations before
/// this one that write it.
constexpr Text order_fault(const OperationGraph& graph, const GraphNode& node, const int* made, const int* written) {
  for (const int tensor : {node.a, node.b}) {
    if (tensor < 0 || !(graph.tensors[tensor].in_memory ? written[tensor] > made[tensor] : made[tensor] == 0)) continue;
    return Text{} << "reads tensor " << tensor << " before it is made";
  }
  if (made[node.result] > 0) return Text{} << "writes tensor " << node.result << " a second time";
  return {};
}

constexpr Text window_fault(const ops::Window& w) {
  if (w.kernel > 0 && w.stride > 0 && w.dilation > 0 && w.before >= 0 && w.after >= 0) return {};
  return Text{} << "kernel " << w.kernel << ", stride " << w.stride << ", dilation " << w.dilation << ", padding "
                << w.before << " and " << w.after;
}

/// image * filter = result under the window: the relation of a convolution, whichever of image and result is sought.
constexpr Text convolution_fault(const GraphTensor& image, const GraphTensor& filter, const GraphTensor& result,
                                 const ops::Window2d& window) {
  const Dims &x = image.dims, &w = filter.dims, &y = result.dims;
  if (w[2] != window.height.kernel || w[3] != window.width.kernel)
    return Text{} << "the filter " << w << " needs a window of its own extents, which is " << window.height.kernel
                  << " x " << window.width.kernel;
  if (x[1] % w[1] != 0 || w[0] % (x[1] / w[1]) != 0)
    return Text{} << "the filter " << w << " does not divide the image " << x << " into groups";
  if (const Dims expected = ops::window_dims(x, w[0], window); y != expected)
    return Text{} << "the image " << x << " and the filter " << w << " make " << expected << ", not " << y;
  return {};
}

/// A window of nothing but padding has no maximum and no average.
constexpr bool touches(idx n, idx out, const ops::Window& w) {
  return w.before < w.kernel && (out - 1) * w.stride < n + w.before;
}
constexpr Text pool_fault(const Dims& x, const Dims& y, const ops::Window2d& window) {
  if (window.height.dilation != 1 || window.width.dilation != 1) return Text{} << "its window is dilated";
  if (const Dims expected = ops::window_dims(x, x[1], window); y != expected)
    return Text{} << "the image " << x << " makes " << expected << ", not " << y;
  if (!touches(x[2], y[2], window.height) || !touches(x[3], y[3], window.width))
    return Text{} << "a window over the image " << x << " has padding only";
  return {};
}

constexpr Text pointwise_fault(const GraphTensor& a, const GraphTensor* b, const GraphTensor& result) {
  if (a.dims != result.dims)
    return Text{} << "the operand " << a.dims << " makes " << a.dims << ", not " << result.dims;
  for (int i = 0; b && i < 4; ++i)
    if (b->dims[i] != 1 && b->dims[i] != a.dims[i])
      return Text{} << "the second operand " << b->dims << " does not spread over the first, " << a.dims;
  return {};
}

constexpr Text node_fault(const OperationGraph& graph, const GraphNode& node) {
  const GraphTensor &a = graph.tensors[node.a], &result = graph.tensors[node.result];
  const GraphTensor* const b = reads_b(node) ? &graph.tensors[node.b] : nullptr;
  if (node.kind == GraphNode::Kind::pointwise) return pointwise_fault(a, b, result);
  if (const Text fault = window_fault(node.window.height); !fault.empty()) return fault;
  if (const Text fault = window_fault(node.window.width); !fault.empty()) return fault;
  if (is_pool(node)) return pool_fault(a.dims, result.dims, node.window);
  if (a.dtype != b->dtype)
    return Text{} << "factors of two types, " << dtype_name(a.dtype) << " and " << dtype_name(b->dtype);
  return node.kind == GraphNode::Kind::convolution ? convolution_fault(a, *b, result, node.window)
                                                   : convolution_fault(result, *b, a, node.window);
}
}  // namespace detail

/// A sentence if the graph is wrong, else an empty text: extents and channels that do not follow from one another,
/// windows over padding only, operands that do not spread over the result, types that cuDNN does not compute with;
/// tensors that are read before they are made, made twice, or of no use.
constexpr Text fault_of(const OperationGraph& graph) {
  int written[OperationGraph::most_tensors]{}, made[OperationGraph::most_tensors]{},
      read[OperationGraph::most_tensors]{};
  for (int i = 0; i < graph.tensor_count; ++i)
    if (const Text fault = detail::tensor_fault(graph.tensors[i]); !fault.empty())
      return Text{} << "tensor " << i << ": " << fault;
  for (int i = 0; i < graph.node_count; ++i) {
    const GraphNode& node = graph.nodes[i];
    if (const Text fault = detail::operands_fault(graph, node); !fault.empty())
      return detail::at_node(graph, i) << fault;
    ++written[node.result];
    ++read[node.a];
    if (node.b >= 0) ++read[node.b];
  }
  for (int i = 0; i < graph.node_count; ++i) {
    const GraphNode& node = graph.nodes[i];
    if (const Text fault = detail::order_fault(graph, node, made, written); !fault.empty())
      return detail::at_node(graph, i) << fault;
    if (const Text fault = detail::node_fault(graph, node); !fault.empty()) return detail::at_node(graph, i) << fault;
    ++made[node.result];
  }
  for (int i = 0; i < graph.tensor_count; ++i)
    if (read[i] == 0 && (written[i] == 0 || !graph.tensors[i].in_memory))
      return Text{} << "tensor " << i << " is never read"
                    << (written[i] == 0 ? " and never made" : ", and not in memory");
  return graph.node_count == 0 ? Text{} << "it has no operation" : Text{};
}

}  // namespace lamina::gpu
