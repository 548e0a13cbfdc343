/// Operation graphs that the emulation recorded (emulation/record.cpp has the format), as lamina's own.
#pragma once
#include <cudnn.h>
#include <fstream>
#include <lamina/backend/cuda/graph.hpp>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace recorded {
using namespace lamina;

/// A graph, and whether the emulated cuDNN has an engine for it.
struct Graph {
  gpu::OperationGraph graph;
  bool taken;
};

/// A descriptor: numbers by the number of their attribute; other descriptors by their place in the graph.
struct Descriptor {
  int type;
  std::map<int, std::vector<double>> attributes;

  const std::vector<double>& all(int name) const {
    const auto found = attributes.find(name);
    if (found == attributes.end()) throw std::runtime_error("a recorded descriptor without " + std::to_string(name));
    return found->second;
  }
  int get(int name) const { return int(all(name).at(0)); }
};

class Translation {
  const std::vector<Descriptor>& all_;
  gpu::OperationGraph graph_{};

  const Descriptor& child(const Descriptor& of, int name) const { return all_.at(std::size_t(of.get(name))); }

  /// The number of a tensor, which is added when it is first met.
  int tensor(const Descriptor& of, int name) {
    const Descriptor& t = child(of, name);
    const int number = t.get(CUDNN_ATTR_TENSOR_UNIQUE_ID) - 1;
    const auto& dims = t.all(CUDNN_ATTR_TENSOR_DIMENSIONS);
    const int type = t.get(CUDNN_ATTR_TENSOR_DATA_TYPE);
    if (number >= graph_.tensor_count) graph_.tensor_count = number + 1;
    graph_.tensors[number] = {{idx(dims.at(0)), idx(dims.at(1)), idx(dims.at(2)), idx(dims.at(3))},
                              type == CUDNN_DATA_FLOAT  ? Dtype::float32
                              : type == CUDNN_DATA_HALF ? Dtype::float16
                                                        : Dtype::bfloat16,
                              t.get(CUDNN_ATTR_TENSOR_IS_VIRTUAL) == 0};
    return number;
  }

  /// Every attribute has `step` numbers for each axis: a fraction has two.
  static ops::Window2d window(const std::vector<double>& kernel, const Descriptor& of, int stride, int before,
                              int after, const std::vector<double>& dilation, std::size_t step) {
    const auto axis = [&](std::size_t i) {
      return ops::Window{int(kernel[i * step]), int(of.all(stride).at(i * step)), int(of.all(before).at(i * step)),
                         int(of.all(after).at(i * step)), int(dilation[i * step])};
    };
    return {axis(0), axis(1)};
  }

  gpu::GraphNode convolution(gpu::GraphNode::Kind kind, const Descriptor& o, int how, int a, int b, int result) {
    const Descriptor& c = child(o, how);
    gpu::GraphNode node{.kind = kind, .a = tensor(o, a), .b = tensor(o, b), .result = tensor(o, result)};
    const Dims& filter = graph_.tensors[node.b].dims;
    node.window = window({double(filter[2]), double(filter[3])}, c, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES,
                         CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS,
                         c.all(CUDNN_ATTR_CONVOLUTION_DILATIONS), 1);
    return node;
  }
  gpu::GraphNode pool(const Descriptor& o) {
    const Descriptor& r = child(o, CUDNN_ATTR_OPERATION_RESAMPLE_FWD_DESC);
    const int mode = r.get(CUDNN_ATTR_RESAMPLE_MODE);
    return {.kind =
                mode == CUDNN_RESAMPLE_MAXPOOL ? gpu::GraphNode::Kind::max_pool : gpu::GraphNode::Kind::average_pool,
            .count_padding = mode == CUDNN_RESAMPLE_AVGPOOL_INCLUDE_PADDING,
            .window = window(r.all(CUDNN_ATTR_RESAMPLE_WINDOW_DIMS), r, CUDNN_ATTR_RESAMPLE_STRIDES,
                             CUDNN_ATTR_RESAMPLE_PRE_PADDINGS, CUDNN_ATTR_RESAMPLE_POST_PADDINGS, {1, 1, 1, 1}, 2),
            .a = tensor(o, CUDNN_ATTR_OPERATION_RESAMPLE_FWD_XDESC),
            .result = tensor(o, CUDNN_ATTR_OPERATION_RESAMPLE_FWD_YDESC)};
  }
  gpu::GraphNode pointwise(const Descriptor& o) {
    using Function = gpu::GraphNode::Function;
    static const std::map<int, Function> functions{{CUDNN_POINTWISE_ADD, Function::add},
                                                   {CUDNN_POINTWISE_RELU_FWD, Function::relu},
                                                   {CUDNN_POINTWISE_SIGMOID_FWD, Function::sigmoid},
                                                   {CUDNN_POINTWISE_TANH_FWD, Function::tanh},
                                                   {CUDNN_POINTWISE_GELU_FWD, Function::gelu},
                                                   {CUDNN_POINTWISE_GELU_APPROX_TANH_FWD, Function::gelu_tanh},
                                                   {CUDNN_POINTWISE_SWISH_FWD, Function::silu}};
    const Descriptor& p = child(o, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
    gpu::GraphNode node{.kind = gpu::GraphNode::Kind::pointwise,
                        .function = functions.at(p.get(CUDNN_ATTR_POINTWISE_MODE)),
                        .a = tensor(o, CUDNN_ATTR_OPERATION_POINTWISE_XDESC)};
    if (p.attributes.contains(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE)) {
      node.function = Function::leaky_relu;
      node.parameter = float(p.all(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE).at(0));
    }
    if (o.attributes.contains(CUDNN_ATTR_OPERATION_POINTWISE_BDESC))
      node.b = tensor(o, CUDNN_ATTR_OPERATION_POINTWISE_BDESC);
    node.result = tensor(o, CUDNN_ATTR_OPERATION_POINTWISE_YDESC);
    return node;
  }
  gpu::GraphNode node(const Descriptor& o) {
    switch (o.type) {
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
      return convolution(gpu::GraphNode::Kind::convolution, o, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y);
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
      return convolution(gpu::GraphNode::Kind::backward_data, o, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX);
    case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR: return pointwise(o);
    case CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR: return pool(o);
    default: throw std::runtime_error("a recorded operation of type " + std::to_string(o.type));
    }
  }

 public:
  explicit Translation(const std::vector<Descriptor>& all) : all_(all) {
    for (const double operation : all.back().all(CUDNN_ATTR_OPERATIONGRAPH_OPS))
      graph_.add(node(all.at(std::size_t(operation))));
  }
  const gpu::OperationGraph& graph() const { return graph_; }
};

/// Every graph of a record, once. Descriptors do not say how products are rounded: `math` is strict.
inline std::vector<Graph> read(std::istream& record) {
  std::vector<Graph> graphs;
  std::set<std::string> hashes;
  std::vector<Descriptor> descriptors;
  std::string line, word, hash, answer;
  while (std::getline(record, line)) {
    std::istringstream text(line);
    text >> word;
    if (word == "graph") {
      text >> hash >> answer;
      descriptors.clear();
    } else if (word == "descriptor") {
      text >> descriptors.emplace_back().type;
    } else if (word == "attribute") {
      int name = 0, type = 0, numbers = 0;
      text >> name >> type >> numbers;
      auto& values = descriptors.back().attributes[name];
      for (double value = 0; text >> value;) values.push_back(value);
    } else if (hashes.insert(hash).second) {
      graphs.push_back({Translation(descriptors).graph(), answer == "taken"});
    }
  }
  return graphs;
}

}  // namespace recorded
