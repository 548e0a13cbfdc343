/// The emulated cuDNN: what it refuses, as the real one does or although the real one does not, and what is a misuse.
#include "graphs.hpp"
#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace emulation_test;

namespace {
/// A convolution of [1, 8, 6, 6] by 3 x 3 and a bias of `bias` channels.
Graph convolution_and_bias(idx bias = 8, const Dims& sum_dims = {1, 8, 6, 6}) {
  Graph graph;
  const int x = graph.tensor({1, 8, 6, 6}), w = graph.tensor({8, 8, 3, 3}), b = graph.tensor({1, bias, 1, 1});
  const int sum = graph.between(sum_dims), y = graph.tensor(sum_dims);
  graph.products(Kind::convolution, square(3, 1, 1), x, w, sum);
  graph.pointwise(Function::add, sum, b, y);
  return graph;
}
Graph sum_of_two(Dtype dtype = Dtype::float32) {
  Graph graph;
  const int a = graph.tensor({1, 8, 2, 2}, dtype), b = graph.tensor({1, 8, 2, 2}, dtype),
            y = graph.tensor({1, 8, 2, 2}, dtype);
  graph.pointwise(Function::add, a, b, y);
  return graph;
}
const GraphDescriptors described(const Graph& graph) { return GraphDescriptors(graph.data); }
std::string h100_as(const std::string& from, const std::string& to) {
  std::string json = DeviceProperties(0).json();
  return json.replace(json.find(from), from.size(), to);
}
std::size_t engines_of(const Graph& graph, const DeviceProperties& device = DeviceProperties(0)) {
  return engine_choices(described(graph), device, CUDNN_HEUR_MODE_A).size();
}
Descriptor tensor(const std::vector<std::int64_t>& dims, const std::vector<std::int64_t>& strides,
                  std::int64_t alignment = 16) {
  Descriptor made(CUDNN_BACKEND_TENSOR_DESCRIPTOR, "a tensor");
  made.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_DATA_FLOAT);
  made.set(CUDNN_ATTR_TENSOR_DIMENSIONS, dims.data(), std::int64_t(dims.size()));
  made.set(CUDNN_ATTR_TENSOR_STRIDES, strides.data(), std::int64_t(strides.size()));
  made.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, std::int64_t(1));
  made.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, alignment);
  return made;
}
}  // namespace

TEST_CASE("graphs whose extents do not fit") {
  CHECK_THROWS_WITH(described(convolution_and_bias(8, {1, 8, 7, 6})), ContainsSubstring("is_valid_spatial_dim"));
  CHECK_THAT(the_fault(), ContainsSubstring("CUDNN_STATUS_BAD_PARAM"));
  CHECK_THROWS_WITH(described(convolution_and_bias(7)),
                    ContainsSubstring("[1, 7, 1, 1] cannot be broadcast to [1, 8, 6, 6]"));
  CHECK_THAT(the_fault(), ContainsSubstring("pointwise"));
  Graph channels;
  const int x = channels.tensor({1, 8, 6, 6}), w = channels.tensor({8, 5, 1, 1}), y = channels.tensor({1, 8, 6, 6});
  channels.products(Kind::convolution, square(1), x, w, y);
  CHECK_THROWS_WITH(described(channels), ContainsSubstring("CUDNN_STATUS_BAD_PARAM"));
  CHECK_THAT(the_fault(), ContainsSubstring("filter [8, 5, 1, 1]"));
}

TEST_CASE("tensors that are never written, never read, or written twice") {
  Graph never_written;
  const Dims dims{1, 8, 2, 2};
  const int a = never_written.between(dims), b = never_written.tensor(dims), y = never_written.tensor(dims);
  never_written.pointwise(Function::add, a, b, y);
  CHECK_THROWS_WITH(described(never_written), ContainsSubstring("virtual tensor 1 is read and not yet written"));
  CHECK_THAT(the_fault(), ContainsSubstring("virtual tensor 1"));
  Graph never_read;
  const int from = never_read.tensor(dims), to = never_read.between(dims);
  never_read.pointwise(Function::relu, from, -1, to);
  CHECK_THROWS_WITH(described(never_read), ContainsSubstring("virtual tensor 2 is never read"));
  CHECK_THAT(the_fault(), ContainsSubstring("never read"));
  Graph twice;
  const int one = twice.tensor(dims), two = twice.tensor(dims);
  twice.pointwise(Function::relu, one, -1, two);
  twice.pointwise(Function::tanh, one, -1, two);
  CHECK_THROWS_WITH(described(twice), ContainsSubstring("tensor 2 is written twice"));
  CHECK_THAT(the_fault(), ContainsSubstring("written twice"));
}

TEST_CASE("descriptors that lack an attribute, or have a wrong one") {
  Descriptor incomplete(CUDNN_BACKEND_TENSOR_DESCRIPTOR, "a tensor");
  CHECK_THROWS_WITH(incomplete.finalize(), ContainsSubstring("lacks attribute"));
  CHECK_THAT(the_fault(), ContainsSubstring("lacks attribute"));
  CHECK_THROWS_WITH(incomplete.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, 1.f), ContainsSubstring("has type"));
  CHECK_THAT(the_fault(), ContainsSubstring("has type"));
  CHECK_THROWS_WITH(incomplete.set(CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_DATA_FLOAT),
                    ContainsSubstring("have no attribute"));
  CHECK_THAT(the_fault(), ContainsSubstring("have no attribute"));
  CHECK_THROWS_WITH(tensor({2, 3, 4}, {12, 4, 1}, 2).finalize(), ContainsSubstring("alignment 2"));
  CHECK_THAT(the_fault(), ContainsSubstring("alignment 2"));
  CHECK_THROWS_WITH(tensor({2, 3, 4}, {12, 2, 1}).finalize(), ContainsSubstring("elements share addresses"));
  CHECK_THAT(the_fault(), ContainsSubstring("elements share addresses"));
  Descriptor good = tensor({2, 3, 4}, {12, 4, 1});
  good.finalize();
  CHECK_THROWS_WITH(good.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, std::int64_t(2)),
                    ContainsSubstring("after the descriptor was finalized"));
  CHECK_THAT(the_fault(), ContainsSubstring("after the descriptor was finalized"));
}

TEST_CASE("descriptors that are not finalized, or destroyed twice") {
  Descriptor operation(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, "an operation");
  const Descriptor unfinished = tensor({2, 3, 4}, {12, 4, 1});
  CHECK_THROWS_WITH(operation.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, unfinished),
                    ContainsSubstring("not finalized"));
  CHECK_THAT(the_fault(), ContainsSubstring("not finalized"));
  cudnnBackendDescriptor_t raw = nullptr;
  REQUIRE(cudnnBackendCreateDescriptor(CUDNN_BACKEND_TENSOR_DESCRIPTOR, &raw) == CUDNN_STATUS_SUCCESS);
  REQUIRE(cudnnBackendDestroyDescriptor(raw) == CUDNN_STATUS_SUCCESS);
  CHECK(cudnnBackendDestroyDescriptor(raw) == CUDNN_STATUS_BAD_PARAM);
  CHECK_THAT(the_fault(), ContainsSubstring("destroyed twice"));
}

TEST_CASE("graphs that cuDNN has no engine for are no faults") {
  CHECK(engines_of(convolution_and_bias()) == 2);
  CHECK(engines_of(sum_of_two()) == 1);
  CHECK(engines_of(convolution_and_bias(), DeviceProperties(h100_as("\"deviceVer\":900", "\"deviceVer\":700"))) == 0);
  Graph behind_pool;
  const int x = behind_pool.tensor({1, 8, 4, 4}), y = behind_pool.between({1, 8, 2, 2}),
            z = behind_pool.tensor({1, 8, 2, 2});
  behind_pool.pool(Kind::max_pool, square(2, 2), x, y);
  behind_pool.pointwise(Function::relu, y, -1, z);
  CHECK(engines_of(behind_pool) == 0);
  Descriptor averages(CUDNN_BACKEND_REDUCTION_DESCRIPTOR, "a reduction");
  const int average = CUDNN_REDUCE_TENSOR_AVG;
  CHECK(cudnnBackendSetAttribute(averages.get(), CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE, 1,
                                 &average) == CUDNN_STATUS_SUCCESS);
  averages.set(CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_DATA_FLOAT);
  CHECK(cudnnBackendFinalize(averages.get()) == CUDNN_STATUS_NOT_SUPPORTED);
  CHECK(emulation::faults().empty());
}

TEST_CASE("a plan as text: restored for the same device, else refused") {
  const Graph graph = convolution_and_bias();
  const DeviceProperties device(0);
  const std::string json = make_plan(graph.data, device).json();
  const ExecutionPlan restored(graph.data, device, json);
  CHECK(restored.json() == json);
  CHECK(restored.workspace_bytes() > 0);
  const DeviceProperties other(h100_as("NVIDIA H100 80GB HBM3", "NVIDIA H200"));
  CHECK_THROWS_WITH(ExecutionPlan(graph.data, other, json), ContainsSubstring("of another device"));
  std::string damaged = json;
  damaged.replace(damaged.find("graph\":\"") + 20, 1, "7");
  CHECK_THROWS_WITH(ExecutionPlan(graph.data, device, damaged), ContainsSubstring("damaged"));
  CHECK_THROWS_WITH(ExecutionPlan(graph.data, device, "{}"), ContainsSubstring("of another version"));
  CHECK(emulation::faults().empty());
}

TEST_CASE("plans without a device") {
  const std::string json = DeviceProperties(0).json();
  emulation::set_device_count(0);
  CHECK(make_plan(convolution_and_bias().data, DeviceProperties(json)).workspace_bytes() > 0);
  cudnnHandle_t handle = nullptr;
  CHECK(cudnnCreate(&handle) == CUDNN_STATUS_NOT_INITIALIZED);
  CHECK_THROWS_AS(DeviceProperties(0), cudnn_error);
  emulation::set_device_count(2);
  CHECK_THAT(the_fault(), ContainsSubstring("of no device"));
}

TEST_CASE("what a call of a plan is given wrongly") {
  const Stream stream, elsewhere(1);
  const Handle handle(stream);
  const ExecutionPlan plan = make_plan(convolution_and_bias().data, DeviceProperties(0));
  const Array<> x(stream, 288), w(stream, 576), b(stream, 8), y(stream, 288), short_by_one(stream, 287),
      far(elsewhere, 288);
  const Array<char> workspace(stream, plan.workspace_bytes());
  elsewhere.wait();
  void* tensors[] = {x.data, w.data, b.data, y.data};
  const auto fails = [&](int which, void* pointer, void* scratch) {
    void* given[] = {x.data, w.data, b.data, y.data};
    if (which >= 0) given[which] = pointer;
    CHECK_THROWS_AS(plan.execute(handle, given, scratch), cudnn_error);
    return the_fault();
  };
  CHECK_THAT(fails(0, nullptr, workspace.data), ContainsSubstring("tensor 1: a null pointer"));
  CHECK_THAT(fails(0, x.data + 1, workspace.data), ContainsSubstring("tensor 1 is not aligned to 16 bytes"));
  CHECK_THAT(fails(3, short_by_one.data, workspace.data),
             ContainsSubstring("tensor 5: bytes 0 to 1152 of a block of 1148"));
  CHECK_THAT(fails(3, far.data, workspace.data), ContainsSubstring("tensor 5 is memory of another device"));
  CHECK_THAT(fails(3, x.data, workspace.data), ContainsSubstring("tensor 5 overlaps tensor 1"));
  CHECK_THAT(fails(-1, nullptr, nullptr), ContainsSubstring("the workspace is not memory of the device"));
  CHECK_THAT(fails(3, workspace.data, workspace.data), ContainsSubstring("the workspace overlaps a tensor"));
  alignas(16) float host[288];
  CHECK_THAT(fails(0, host, workspace.data), ContainsSubstring("tensor 1: a pointer to memory of the host"));
  {
    const On on(1);
    CHECK_THAT(fails(-1, nullptr, workspace.data), ContainsSubstring("a device that is not the current one"));
  }
  plan.execute(handle, tensors, workspace.data);
  CHECK(emulation::faults().empty());
}

TEST_CASE("a pointer for a tensor that is not there") {
  const Stream stream;
  const Handle handle(stream);
  Graph more = sum_of_two();
  more.tensor({1, 8, 2, 2});
  const Array<> memory(stream, 32);
  void* tensors[] = {memory.data, memory.data, memory.data, memory.data};
  const ExecutionPlan plan = make_plan(sum_of_two().data, DeviceProperties(0));
  const ExecutionPlan with_one_more(more.data, DeviceProperties(0), plan.json());
  CHECK_THROWS_AS(with_one_more.execute(handle, tensors, nullptr), cudnn_error);
  CHECK_THAT(the_fault(), ContainsSubstring("there is no tensor 4 in memory"));
}

TEST_CASE("a handle without a stream, and handles and plans of another device") {
  const Stream stream, elsewhere(1);
  cudnnHandle_t handle = nullptr;
  REQUIRE(cudnnCreate(&handle) == CUDNN_STATUS_SUCCESS);
  CHECK(cudnnSetStream(handle, elsewhere) == CUDNN_STATUS_BAD_PARAM);
  CHECK_THAT(the_fault(), ContainsSubstring("a stream of another device"));
  const Array<> memory(stream, 32);
  void* tensors[] = {memory.data, memory.data, memory.data};
  const ExecutionPlan plan = make_plan(sum_of_two().data, DeviceProperties(0));
  CHECK_THROWS_AS(plan.execute(handle, tensors, nullptr), cudnn_error);
  CHECK_THAT(the_fault(), ContainsSubstring("the handle has no stream"));
  REQUIRE(cudnnSetStream(handle, stream) == CUDNN_STATUS_SUCCESS);
  plan.execute(handle, tensors, nullptr);
  const ExecutionPlan foreign =
      make_plan(sum_of_two().data, DeviceProperties(h100_as("NVIDIA H100 80GB HBM3", "NVIDIA H200")));
  CHECK_THROWS_AS(foreign.execute(handle, tensors, nullptr), cudnn_error);
  CHECK_THAT(the_fault(), ContainsSubstring("the plan is for another device"));
  REQUIRE(cudnnDestroy(handle) == CUDNN_STATUS_SUCCESS);
  CHECK(cudnnDestroy(handle) == CUDNN_STATUS_BAD_PARAM);
  CHECK_THAT(the_fault(), ContainsSubstring("destroyed twice"));
}

TEST_CASE("a plan that runs beside work of another stream") {
  const Stream stream, other;
  const Handle handle(stream);
  const Array<> x(other, 32), y(stream, 32);
  const ExecutionPlan plan = make_plan(sum_of_two().data, DeviceProperties(0));
  void* tensors[] = {y.data, x.data, y.data};
  plan.execute(handle, tensors, nullptr);
  CHECK_THAT(the_fault(),
             ContainsSubstring("missing fence: cuDNN graph on one stream may run beside allocation on another"));
  stream.wait();
}

TEST_CASE("graphs are recorded as text, once each") {
  const auto file = std::filesystem::temp_directory_path() / ("lamina-recorded-graphs-" + std::to_string(getpid()));
  emulation::record_graphs(file.string());
  for (int time = 0; time < 2; ++time) {
    make_plan(sum_of_two().data, DeviceProperties(0));
    make_plan(sum_of_two(Dtype::float16).data, DeviceProperties(0));
  }
  emulation::record_graphs("");
  std::ifstream in(file);
  std::vector<std::string> words;
  for (std::string line; std::getline(in, line);)
    if (line.rfind("attribute", 0) != 0) words.push_back(line.substr(0, line.find(' ')));
  const std::vector<std::string> one{"graph",      "descriptor", "descriptor", "descriptor",
                                     "descriptor", "descriptor", "descriptor", "end"};
  std::vector<std::string> both = one;
  both.insert(both.end(), one.begin(), one.end());
  CHECK(words == both);
  std::filesystem::remove(file);
}
