#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <lamina/backend/cuda/graph_text.hpp>

using namespace lamina::gpu;
using lamina::Dtype;

TEST_CASE("an operation graph is shown line by line") {
  OperationGraph graph;
  graph.add(GraphTensor{{8, 64, 56, 55}, Dtype::bfloat16});
  graph.add(GraphTensor{{32, 64, 3, 2}, Dtype::bfloat16});
  graph.add(GraphTensor{{8, 32, 28, 56}, Dtype::float32, false});
  graph.add(GraphTensor{{8, 32, 28, 56}, Dtype::bfloat16});
  graph.add(GraphNode{.window = {{3, 2, 1, 1}, {2, 1, 0, 2, 1}}, .a = 0, .b = 1, .result = 2});
  graph.add(GraphNode{.kind = GraphNode::Kind::pointwise,
                      .function = GraphNode::Function::leaky_relu,
                      .parameter = 0.01f,
                      .a = 2,
                      .result = 3});
  CHECK(text_of(graph) == "strict\n"
                          "t0 [8, 64, 56, 55] bfloat16\n"
                          "t1 [32, 64, 3, 2] bfloat16\n"
                          "t2 [8, 32, 28, 56] float32, not in memory\n"
                          "t3 [8, 32, 28, 56] bfloat16\n"
                          "t2 = convolution(t0, t1), kernel 3 x 2, stride 2 x 1, padding 1+1 x 0+2, dilation 1 x 1\n"
                          "t3 = leaky_relu(t2), parameter 0.00999999978\n");

  // Other numbers, another text.
  OperationGraph other = graph;
  other.math = Math::tensorfloat32;
  CHECK(text_of(other) != text_of(graph));
  other = graph;
  other.nodes[1].parameter = std::nextafter(0.01f, 1.0f);
  CHECK(text_of(other) != text_of(graph));
  other = graph;
  other.nodes[0].window.width.before = 1;
  other.nodes[0].window.width.after = 1;
  CHECK(text_of(other) != text_of(graph));
}

TEST_CASE("an average says whether padding counts") {
  OperationGraph graph;
  graph.add(GraphTensor{{1, 4, 5, 5}});
  graph.add(GraphTensor{{1, 4, 3, 3}});
  graph.add(GraphNode{.kind = GraphNode::Kind::average_pool,
                      .count_padding = true,
                      .window = {{3, 2, 1, 1}, {3, 2, 1, 1}},
                      .a = 0,
                      .result = 1});
  CHECK(text_of(graph).find("t1 = average_pool(t0), padding counts, kernel 3 x 3") != std::string::npos);
}
