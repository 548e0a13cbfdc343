/// A step of a plan as a graph for cuDNN: what it computes in one call, and what is left to do where it cannot do all.
#pragma once
#include "backend.hpp"
#include "graph.hpp"

namespace lamina::gpu {

/// The type of a value's elements on the GPU.
constexpr Dtype element_type(const planning::Place& place, const CompileOptions& options) {
  if (place.layout != Layout::halves) return place.dtype;
  return options.precision == Precision::float16 ? Dtype::float16 : Dtype::bfloat16;
}

/// How much of a producer's step a graph does.
enum class Reach : unsigned char {
  everything,  ///< bias, residual and activation too
  bias,        ///< the producer and its bias
  producer,    ///< the producer alone
};

/// A graph of a step. Its tensors in memory: the image, the filter, the bias, the residual (those that it reads), the
/// result. There is none where cuDNN has no such operation.
struct Lowered {
  bool possible = false;
  Reach reach = Reach::everything;
  OperationGraph graph{};
};

namespace detail {
/// The function of cuDNN that an activation is; none if it has no such function.
constexpr GraphNode::Function function_of(const ops::Activation& activation) {
  using Kind = ops::Activation::Kind;
  using Function = GraphNode::Function;
  switch (activation.kind) {
  case Kind::relu: return Function::relu;
  case Kind::leaky_relu: return Function::leaky_relu;
  case Kind::sigmoid: return Function::sigmoid;
  case Kind::tanh: return Function::tanh;
  case Kind::gelu: return Function::gelu;
  case Kind::gelu_tanh: return Function::gelu_tanh;
  case Kind::silu: return Function::silu;
  default: return Function::none;
  }
}

/// Extents of a producer's filter as cuDNN sees it; a linear layer is a convolution of single pixels.
constexpr Dims filter_dims(const Operation& operation) {
  if (is<ops::Conv2d>(operation)) {
    const ops::Conv2d& op = as<ops::Conv2d>(operation);
    return {op.out_channels, op.in_channels / op.groups, op.window.height.kernel, op.window.width.kernel};
  }
  if (is<ops::ConvTranspose2d>(operation)) {
    const ops::ConvTranspose2d& op = as<ops::ConvTranspose2d>(operation);
    return {op.in_channels, op.out_channels / op.groups, op.window.height.kernel, op.window.width.kernel};
  }
  const ops::Linear& op = as<ops::Linear>(operation);
  return {op.out_features, op.in_features, 1, 1};
}

/// The image and result of a producer as cuDNN sees them, and how the filter is moved over the image.
struct Producer {
  GraphNode::Kind kind = GraphNode::Kind::convolution;
  ops::Window2d window{};
  Dims image{}, result{};
};
constexpr Producer producer_of(const Operation& operation, const Dims& x, const Dims& y) {
  if (is<ops::Conv2d>(operation)) return {GraphNode::Kind::convolution, as<ops::Conv2d>(operation).window, x, y};
  if (is<ops::ConvTranspose2d>(operation))
    return {GraphNode::Kind::backward_data, as<ops::ConvTranspose2d>(operation).window, x, y};
  const ops::Linear& op = as<ops::Linear>(operation);
  const idx rows = count(x) / op.in_features;
  return {GraphNode::Kind::convolution, {}, {rows, op.in_features, 1, 1}, {rows, op.out_features, 1, 1}};
}

/// Extents of a pooling whose last windows may stand over the end (ceil_mode): padding behind makes room for them.
constexpr ops::Window fitted(ops::Window w, idx in, idx out) {
  const idx needed = (out - 1) * w.stride + w.reach() - in - w.before;
  if (needed > w.after) w.after = int(needed);
  return w;
}

constexpr Lowered lower_pool(GraphNode node, const GraphTensor& x, const GraphTensor& y) {
  Lowered lowered{.possible = true};
  node.a = lowered.graph.add(x);
  node.result = lowered.graph.add(y);
  lowered.graph.add(node);
  return lowered;
}
}  // namespace detail

/// The graph of a convolution, transposed convolution or linear layer, and of what is fused to it.
constexpr Lowered lower_producer(const planning::Step& step, const planning::Place& x, const CompileOptions& options,
                                 Reach reach) {
  using Kind = GraphNode::Kind;
  using Function = GraphNode::Function;
  const detail::Producer producer = detail::producer_of(step.operation, x.dims, step.out.dims);
  const Function activation = detail::function_of(step.activation);
  const bool activated = step.activation.kind != ops::Activation::Kind::identity,
             everything = reach == Reach::everything;
  Lowered lowered{.reach = reach};
  // Float32 weights and planar operands of a plan with 16 bits: a kernel of our own.
  if (has_halves(options) && x.layout != Layout::halves) return lowered;
  if (everything && activated && activation == Function::none) return lowered;
  lowered.possible = true;
  OperationGraph& graph = lowered.graph;
  if (options.precision == Precision::tensorfloat32) graph.math = Math::tensorfloat32;
  const Dtype type = element_type(x, options), result_type = element_type(step.out, options);
  const Dims channels{1, producer.result[1], 1, 1};
  const int image = graph.add(GraphTensor{producer.image, type}),
            filter = graph.add(GraphTensor{detail::filter_dims(step.operation), type});
  const int bias = reach != Reach::producer ? graph.add(GraphTensor{channels, Dtype::float32}) : -1;
  const int residual = everything && step.has_residual ? graph.add(GraphTensor{producer.result, result_type}) : -1;
  const int result = graph.add(GraphTensor{producer.result, result_type});

  // Each operation writes into a tensor of its own; the last one's is in memory.
  int rest = (bias >= 0) + (residual >= 0) + (everything && activated), value = -1;
  const auto next = [&] {
    return value = rest-- == 0 ? result : graph.add(GraphTensor{producer.result, Dtype::float32, false});
  };
  graph.add(GraphNode{.kind = producer.kind, .window = producer.window, .a = image, .b = filter, .result = next()});
  const auto pointwise = [&](Function function, int b) {
    const int a = value;
    graph.add(GraphNode{.kind = Kind::pointwise,
                        .function = function,
                        .parameter = function == Function::leaky_relu ? step.activation.parameter : 0,
                        .a = a,
                        .b = b,
                        .result = next()});
  };
  if (bias >= 0) pointwise(Function::add, bias);
  if (residual >= 0) pointwise(Function::add, residual);
  if (everything && activated) pointwise(activation, -1);
  return lowered;
}

/// The graph of a pooling, where cuDNN has one of the same meaning.
constexpr Lowered lower_pooling(const planning::Step& step, const planning::Place& x, const CompileOptions& options) {
  using Kind = GraphNode::Kind;
  const GraphTensor from{x.dims, element_type(x, options)}, to{step.out.dims, element_type(step.out, options)};
  const bool one_pixel = step.out.dims.rank == 4 && step.out.dims[2] * step.out.dims[3] == 1;
  if (x.layout == Layout::planar && !is_one_order(x.dims)) return {};
  if (from.dtype != to.dtype && !one_pixel) return {};
  if (is<ops::MaxPool2d>(step.operation)) {
    ops::Window2d w = as<ops::MaxPool2d>(step.operation).window;
    if (w.height.dilation != 1 || w.width.dilation != 1) return {};
    w = {detail::fitted(w.height, x.dims[2], to.dims[2]), detail::fitted(w.width, x.dims[3], to.dims[3])};
    return detail::lower_pool({.kind = Kind::max_pool, .window = w}, from, to);
  }
  if (is<ops::AvgPool2d>(step.operation)) {
    const ops::AvgPool2d& op = as<ops::AvgPool2d>(step.operation);
    if (op.divisor != 0 || op.window.height.dilation != 1 || op.window.width.dilation != 1) return {};
    if (ops::window_dims(x.dims, x.dims[1], op.window) != to.dims) return {};  // the last windows count otherwise
    const bool padded =
        op.window.height.before + op.window.height.after + op.window.width.before + op.window.width.after > 0;
    return detail::lower_pool(
        {.kind = Kind::average_pool, .count_padding = padded && op.count_include_pad, .window = op.window}, from, to);
  }
  if (is<ops::AdaptiveAvgPool2d>(step.operation)) {
    if (x.dims[2] % to.dims[2] != 0 || x.dims[3] % to.dims[3] != 0) return {};
    const int height = int(x.dims[2] / to.dims[2]), width = int(x.dims[3] / to.dims[3]);
    return detail::lower_pool({.kind = Kind::average_pool,
                               .window = {{.kernel = height, .stride = height}, {.kernel = width, .stride = width}}},
                              from, to);
  }
  return {};
}

/// The graph that does a step, as far as `reach` says.
constexpr Lowered lower(const planning::Step& step, const planning::Place& first, const CompileOptions& options,
                        Reach reach = Reach::everything) {
  if (step.operands == 0 || is<ops::ParameterValue>(step.operation)) return {};
  if (role_of(step.operation) == ops::Role::producer) return lower_producer(step, first, options, reach);
  return reach == Reach::everything ? lower_pooling(step, first, options) : Lowered{};
}

}  // namespace lamina::gpu
