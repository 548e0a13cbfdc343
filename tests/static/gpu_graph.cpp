// Operation graphs that are right, and what is said about wrong ones.
#include <lamina.hpp>
#include <lamina/backend/cuda/lower.hpp>
#include <lamina/backend/cuda/validate.hpp>

using namespace lamina;
using gpu::fault_of, gpu::GraphNode, gpu::GraphTensor, gpu::OperationGraph;
using Kind = GraphNode::Kind;
using Function = GraphNode::Function;

// ---- whatever a model's steps become is right
template <class Net, CompileOptions Options, class Input> constexpr bool right() {
  constexpr auto& table = planning::PlanFor<gpu::Backend, Net, Options, Input>::table;
  for (const planning::Step& step : table.steps)
    for (const gpu::Reach reach : {gpu::Reach::everything, gpu::Reach::bias, gpu::Reach::producer}) {
      if (step.operands == 0) continue;
      const gpu::Lowered lowered = gpu::lower(step, table.operands[std::size_t(step.first_operand)], Options, reach);
      if (lowered.possible && !fault_of(lowered.graph).empty()) return false;
    }
  return true;
}
template <class Net, class Input>
constexpr bool right_in_all_types =
    right<Net, CompileOptions{}, Input>() && right<Net, CompileOptions{.precision = Precision::bfloat16}, Input>();
static_assert(right_in_all_types<models::ResNet18, Shape<2, 3, 224, 224>>);
static_assert(right_in_all_types<models::UNet<3, 2>, Shape<1, 3, 100, 75>>);
using Windows =
    Sequential<Conv2d<4, 8, conv{.kernel_size = 3, .stride = 2, .padding = 1, .dilation = 2, .groups = 2}>,
               MaxPool2d<max_pool{.kernel_size = 3, .stride = 2, .padding = 1, .ceil_mode = true}>,
               AvgPool2d<avg_pool{.kernel_size = 2, .stride = 1, .padding = 1, .count_include_pad = false}>,
               ConvTranspose2d<
                   8, 4, conv_transpose{.kernel_size = 3, .stride = 2, .padding = 1, .output_padding = 1, .groups = 2}>,
               AdaptiveAvgPool2d<1>, Flatten<>, Linear<4, 3>>;
static_assert(right_in_all_types<Windows, Shape<2, 4, 31, 30>>);

// ---- relu(image * filter + bias), and one change to it
constexpr OperationGraph convolution() {
  OperationGraph graph;
  graph.add(GraphTensor{{2, 8, 9, 9}, Dtype::float16});
  graph.add(GraphTensor{{6, 4, 3, 3}, Dtype::float16});
  graph.add(GraphTensor{{1, 6, 1, 1}});
  graph.add(GraphTensor{{2, 6, 9, 9}, Dtype::float32, false});
  graph.add(GraphTensor{{2, 6, 9, 9}, Dtype::float32, false});
  graph.add(GraphTensor{{2, 6, 9, 9}, Dtype::float16});
  const ops::Window window{.kernel = 3, .before = 1, .after = 1};
  graph.add(GraphNode{.window = {window, window}, .a = 0, .b = 1, .result = 3});
  graph.add(GraphNode{.kind = Kind::pointwise, .function = Function::add, .a = 3, .b = 2, .result = 4});
  graph.add(GraphNode{.kind = Kind::pointwise, .function = Function::relu, .a = 4, .result = 5});
  return graph;
}
template <class Change> constexpr bool says(std::string_view sentence, Change change) {
  OperationGraph graph = convolution();
  change(graph);
  return fault_of(graph).view() == sentence;
}

static_assert(says("", [](OperationGraph&) {}));
static_assert(says("it has no operation", [](OperationGraph& g) { g.node_count = g.tensor_count = 0; }));
static_assert(says("tensor 2: needs 4 dimensions, it has [6]", [](OperationGraph& g) { g.tensors[2].dims = {6}; }));
static_assert(says("tensor 0: needs extents of 1 and above, it has [dyn, 8, 9, 9]",
                   [](OperationGraph& g) { g.tensors[0].dims[0] = dyn; }));
static_assert(says("tensor 2: needs float32, float16 or bfloat16, it has int64",
                   [](OperationGraph& g) { g.tensors[2].dtype = Dtype::int64; }));
static_assert(says("operation 0 (convolution): factors of two types, float16 and float32",
                   [](OperationGraph& g) { g.tensors[1].dtype = Dtype::float32; }));
static_assert(says("operation 0 (convolution): the image [2, 8, 9, 9] and the filter [6, 4, 3, 3] make [2, 6, 9, 9], "
                   "not [2, 6, 9, 8]",
                   [](OperationGraph& g) { g.tensors[3].dims[3] = 8; }));
static_assert(says("operation 0 (convolution): the image [2, 8, 9, 9] and the filter [6, 4, 3, 3] make [2, 6, 9, 10], "
                   "not [2, 6, 9, 9]",
                   [](OperationGraph& g) { g.nodes[0].window.width.after = 2; }));
static_assert(
    says("operation 0 (convolution): the filter [6, 3, 3, 3] does not divide the image [2, 8, 9, 9] into groups",
         [](OperationGraph& g) { g.tensors[1].dims[1] = 3; }));
static_assert(
    says("operation 0 (convolution): the filter [5, 4, 3, 3] does not divide the image [2, 8, 9, 9] into groups",
         [](OperationGraph& g) { g.tensors[1].dims[0] = 5; }));
static_assert(
    says("operation 0 (convolution): the filter [6, 16, 3, 3] does not divide the image [2, 8, 9, 9] into groups",
         [](OperationGraph& g) { g.tensors[1].dims[1] = 16; }));
static_assert(
    says("operation 0 (convolution): the filter [6, 4, 3, 2] needs a window of its own extents, which is 3 x 3",
         [](OperationGraph& g) { g.tensors[1].dims[3] = 2; }));
static_assert(says("operation 0 (convolution): kernel 3, stride 0, dilation 1, padding 1 and 1",
                   [](OperationGraph& g) { g.nodes[0].window.width.stride = 0; }));
static_assert(says("operation 1 (add): the second operand [1, 7, 1, 1] does not spread over the first, [2, 6, 9, 9]",
                   [](OperationGraph& g) { g.tensors[2].dims[1] = 7; }));
static_assert(says("operation 2 (relu): the operand [2, 6, 9, 9] makes [2, 6, 9, 9], not [2, 6, 1, 9]",
                   [](OperationGraph& g) { g.tensors[5].dims[2] = 1; }));
static_assert(says("operation 2 (relu): takes one operand, the second is 2",
                   [](OperationGraph& g) { g.nodes[2].b = 2; }));
static_assert(says("operation 1 (none): its function is none",
                   [](OperationGraph& g) { g.nodes[1].function = Function::none, g.nodes[1].b = -1; }));
static_assert(says("operation 1 (add): reads 3 and -1, writes 4; the graph has 6 tensors",
                   [](OperationGraph& g) { g.nodes[1].b = -1; }));
static_assert(says("operation 1 (add): reads 3 and 6, writes 4; the graph has 6 tensors",
                   [](OperationGraph& g) { g.nodes[1].b = 6; }));

// ---- order
static_assert(says("operation 1 (add): reads tensor 4 before it is made", [](OperationGraph& g) { g.nodes[1].a = 4; }));
static_assert(says("operation 1 (add): reads tensor 5 before it is made", [](OperationGraph& g) { g.nodes[1].b = 5; }));
static_assert(says("operation 3 (relu): writes tensor 5 a second time", [](OperationGraph& g) { g.add(g.nodes[2]); }));
static_assert(says("tensor 5 is never read, and not in memory",
                   [](OperationGraph& g) { g.tensors[5].in_memory = false; }));
static_assert(says("tensor 6 is never read and never made", [](OperationGraph& g) {
  g.add(GraphTensor{{1, 1, 1, 1}});
}));
