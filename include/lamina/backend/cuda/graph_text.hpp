/// An operation graph as text: what errors show, and the same for equal graphs only.
#pragma once
#include "graph.hpp"
#include <cstdio>
#include <string>

namespace lamina::gpu {

namespace detail {
inline std::string window_text(const ops::Window2d& w) {
  const auto& [height, width] = w;
  Text text;
  text << ", kernel " << height.kernel << " x " << width.kernel << ", stride " << height.stride << " x " << width.stride
       << ", padding " << height.before << '+' << height.after << " x " << width.before << '+' << width.after
       << ", dilation " << height.dilation << " x " << width.dilation;
  return std::string(text.view());
}

inline std::string node_text(const GraphNode& node) {
  const bool pointwise = node.kind == GraphNode::Kind::pointwise;
  Text text;
  text << 't' << node.result << " = " << (pointwise ? function_name(node.function) : kind_name(node.kind)) << "(t"
       << node.a;
  if (node.b >= 0) text << ", t" << node.b;
  text << ')';
  if (node.count_padding) text << ", padding counts";
  std::string line(text.view());
  if (!pointwise || node.window != ops::Window2d{}) line += window_text(node.window);
  if (node.parameter == 0) return line;
  char digits[32];
  std::snprintf(digits, sizeof digits, ", parameter %.9g", double(node.parameter));
  return line + digits;
}
}  // namespace detail

/// A line for the precision of products, for each tensor and for each operation:
///   strict
///   t0 [8, 64, 56, 56] float16
///   t4 [8, 64, 56, 56] float32, not in memory
///   t4 = convolution(t0, t1), kernel 3 x 3, stride 1 x 1, padding 1+1 x 1+1, dilation 1 x 1
///   t5 = add(t4, t2)
inline std::string text_of(const OperationGraph& graph) {
  std::string text = graph.math == Math::strict ? "strict\n" : "tensorfloat32\n";
  for (int i = 0; i < graph.tensor_count; ++i) {
    const GraphTensor& tensor = graph.tensors[i];
    Text line;
    line << 't' << i << ' ' << tensor.dims << ' ' << dtype_name(tensor.dtype)
         << (tensor.in_memory ? "\n" : ", not in memory\n");
    text += line.view();
  }
  for (int i = 0; i < graph.node_count; ++i) text += detail::node_text(graph.nodes[i]) + '\n';
  return text;
}

}  // namespace lamina::gpu
