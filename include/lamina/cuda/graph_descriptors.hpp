/// An operation graph as descriptors of cuDNN.
#pragma once
#include "../backend/cuda/graph.hpp"
#include "descriptor.hpp"

namespace lamina::gpu {

/// The number by which a plan knows a tensor of its graph.
constexpr std::int64_t tensor_id(int tensor) { return tensor + 1; }

/// Bytes that the address of every tensor in memory is a multiple of.
inline constexpr std::size_t tensor_alignment = 16;

/// The descriptors that a graph consists of. They are needed as long as plans are sought.
class GraphDescriptors {
  std::vector<Descriptor> tensors_{}, attributes_{}, operations_{};
  Descriptor graph_{CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, "an operation graph"};

 public:
  explicit GraphDescriptors(const OperationGraph& graph) {
    for (int i = 0; i < graph.tensor_count; ++i) add_tensor(graph.tensors[i], tensor_id(i));
    for (int i = 0; i < graph.node_count; ++i) add_operation(graph.nodes[i]);
    graph_.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operations_);
    graph_.finalize();
  }

  const Descriptor& get() const { return graph_; }

 private:
  using Kind = GraphNode::Kind;

  static cudnnDataType_t data_type(Dtype dtype) {
    if (dtype == Dtype::float32) return CUDNN_DATA_FLOAT;
    return dtype == Dtype::float16 ? CUDNN_DATA_HALF : CUDNN_DATA_BFLOAT16;
  }
  static cudnnPointwiseMode_t pointwise_mode(GraphNode::Function function) {
    using Function = GraphNode::Function;
    switch (function) {
    case Function::relu:
    case Function::leaky_relu: return CUDNN_POINTWISE_RELU_FWD;
    case Function::sigmoid: return CUDNN_POINTWISE_SIGMOID_FWD;
    case Function::tanh: return CUDNN_POINTWISE_TANH_FWD;
    case Function::gelu: return CUDNN_POINTWISE_GELU_FWD;
    case Function::gelu_tanh: return CUDNN_POINTWISE_GELU_APPROX_TANH_FWD;
    case Function::silu: return CUDNN_POINTWISE_SWISH_FWD;
    default: return CUDNN_POINTWISE_ADD;
    }
  }

  void add_tensor(const GraphTensor& tensor, std::int64_t id) {
    const Dims& d = tensor.dims;
    const std::int64_t extents[] = {d[0], d[1], d[2], d[3]}, strides[] = {d[1] * d[2] * d[3], 1, d[1] * d[3], d[1]};
    Descriptor& t = tensors_.emplace_back(CUDNN_BACKEND_TENSOR_DESCRIPTOR, "a tensor");
    t.set(CUDNN_ATTR_TENSOR_DATA_TYPE, data_type(tensor.dtype));
    t.set(CUDNN_ATTR_TENSOR_DIMENSIONS, extents, 4);
    t.set(CUDNN_ATTR_TENSOR_STRIDES, strides, 4);
    t.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id);
    t.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, std::int64_t(tensor_alignment));
    t.set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, !tensor.in_memory);
    t.finalize();
  }

  void add_operation(const GraphNode& node) {
    switch (node.kind) {
    case Kind::convolution: add_convolution(node); break;
    case Kind::backward_data: add_backward_data(node); break;
    case Kind::pointwise: add_pointwise(node); break;
    case Kind::max_pool:
    case Kind::average_pool: add_pool(node); break;
    }
    operations_.back().finalize();
  }

  const Descriptor& convolution_attributes(const ops::Window2d& w) {
    const auto set_pair = [](Descriptor& d, cudnnBackendAttributeName_t attribute, int height, int width) {
      const std::int64_t pair[] = {height, width};
      d.set(attribute, pair, 2);
    };
    Descriptor& d = attributes_.emplace_back(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, "a window of a convolution");
    d.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
    d.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION);
    d.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, std::int64_t(2));
    set_pair(d, CUDNN_ATTR_CONVOLUTION_DILATIONS, w.height.dilation, w.width.dilation);
    set_pair(d, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, w.height.stride, w.width.stride);
    set_pair(d, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, w.height.before, w.width.before);
    set_pair(d, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, w.height.after, w.width.after);
    d.finalize();
    return d;
  }

  void add_convolution(const GraphNode& node) {
    Descriptor& o = operations_.emplace_back(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, "a convolution");
    o.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, convolution_attributes(node.window));
    o.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1.0f);
    o.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0.0f);
    o.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, tensor(node.a));
    o.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, tensor(node.b));
    o.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, tensor(node.result));
  }

  void add_backward_data(const GraphNode& node) {
    Descriptor& o = operations_.emplace_back(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                                             "a transposed convolution");
    o.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, convolution_attributes(node.window));
    o.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, 1.0f);
    o.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, 0.0f);
    o.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, tensor(node.a));
    o.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, tensor(node.b));
    o.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, tensor(node.result));
  }

  void add_pointwise(const GraphNode& node) {
    Descriptor& d = attributes_.emplace_back(CUDNN_BACKEND_POINTWISE_DESCRIPTOR, "a pointwise function");
    d.set(CUDNN_ATTR_POINTWISE_MODE, pointwise_mode(node.function));
    d.set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
    if (node.function == GraphNode::Function::leaky_relu)
      d.set(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, double(node.parameter));
    d.finalize();
    Descriptor& o = operations_.emplace_back(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, "a pointwise operation");
    o.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, d);
    o.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, tensor(node.a));
    if (node.b >= 0) o.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, tensor(node.b));
    o.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, tensor(node.result));
  }

  void add_pool(const GraphNode& node) {
    const auto set_pair = [](Descriptor& d, cudnnBackendAttributeName_t attribute, int height, int width) {
      const cudnnFraction_t pair[] = {{height, 1}, {width, 1}};
      d.set(attribute, pair, 2);
    };
    const auto& [height, width] = node.window;
    const bool max = node.kind == Kind::max_pool;
    Descriptor& d = attributes_.emplace_back(CUDNN_BACKEND_RESAMPLE_DESCRIPTOR, "a window of a pooling");
    d.set(CUDNN_ATTR_RESAMPLE_MODE, max                  ? CUDNN_RESAMPLE_MAXPOOL
                                    : node.count_padding ? CUDNN_RESAMPLE_AVGPOOL_INCLUDE_PADDING
                                                         : CUDNN_RESAMPLE_AVGPOOL_EXCLUDE_PADDING);
    d.set(CUDNN_ATTR_RESAMPLE_COMP_TYPE, CUDNN_DATA_FLOAT);
    d.set(CUDNN_ATTR_RESAMPLE_PADDING_MODE, max ? CUDNN_NEG_INF_PAD : CUDNN_ZERO_PAD);
    d.set(CUDNN_ATTR_RESAMPLE_SPATIAL_DIMS, std::int64_t(2));
    set_pair(d, CUDNN_ATTR_RESAMPLE_WINDOW_DIMS, height.kernel, width.kernel);
    set_pair(d, CUDNN_ATTR_RESAMPLE_STRIDES, height.stride, width.stride);
    set_pair(d, CUDNN_ATTR_RESAMPLE_PRE_PADDINGS, height.before, width.before);
    set_pair(d, CUDNN_ATTR_RESAMPLE_POST_PADDINGS, height.after, width.after);
    d.finalize();
    Descriptor& o = operations_.emplace_back(CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR, "a pooling");
    o.set(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_DESC, d);
    o.set(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_XDESC, tensor(node.a));
    o.set(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_YDESC, tensor(node.result));
  }

  const Descriptor& tensor(int number) const { return tensors_[std::size_t(number)]; }
};

}  // namespace lamina::gpu
