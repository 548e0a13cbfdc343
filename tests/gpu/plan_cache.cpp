/// The cache of plans, with the real cuDNN and no GPU.
#include "folder.hpp"
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <lamina/cuda/plan_cache.hpp>
#include <set>
#include <thread>

using namespace lamina;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;

namespace {
const gpu::DeviceProperties& device(const char* name) {
  static const gpu::DeviceProperties h100(contents(LAMINA_SOURCE_ROOT "/tests/gpu/devices/h100.json")),
      a100(contents(LAMINA_SOURCE_ROOT "/tests/gpu/devices/a100.json"));
  return std::string_view(name) == "h100" ? h100 : a100;
}

constexpr ops::Window around{.kernel = 3, .before = 1, .after = 1};
/// relu(image * filter + bias), for which cuDNN has engines that are compiled already.
gpu::OperationGraph convolution(idx batch = 2) {
  gpu::OperationGraph graph;
  const Dims dims{batch, 16, 9, 9};
  for (const Dims& d : {dims, Dims{16, 16, 3, 3}, Dims{1, 16, 1, 1}, dims}) graph.add(gpu::GraphTensor{d});
  graph.add(gpu::GraphTensor{dims, Dtype::float32, false});
  graph.add(gpu::GraphTensor{dims, Dtype::float32, false});
  using Function = gpu::GraphNode::Function;
  constexpr auto pointwise = gpu::GraphNode::Kind::pointwise;
  graph.add(gpu::GraphNode{.window = {around, around}, .a = 0, .b = 1, .result = 4});
  graph.add(gpu::GraphNode{.kind = pointwise, .function = Function::add, .a = 4, .b = 2, .result = 5});
  graph.add(gpu::GraphNode{.kind = pointwise, .function = Function::relu, .a = 5, .result = 3});
  return graph;
}
/// A convolution of a convolution, for which it has none.
gpu::OperationGraph two_convolutions() {
  gpu::OperationGraph graph;
  const Dims dims{2, 16, 9, 9}, filter{16, 16, 3, 3};
  for (const Dims& d : {dims, filter, filter, dims}) graph.add(gpu::GraphTensor{d});
  graph.add(gpu::GraphTensor{dims, Dtype::float32, false});
  graph.add(gpu::GraphNode{.window = {around, around}, .a = 0, .b = 1, .result = 4});
  graph.add(gpu::GraphNode{.window = {around, around}, .a = 4, .b = 2, .result = 3});
  return graph;
}
/// The text of a plan by another engine than make_plan takes.
std::string another_plan(const gpu::OperationGraph& graph) {
  const std::string first = gpu::make_plan(graph, device("h100")).json();
  const gpu::GraphDescriptors descriptors(graph);
  for (gpu::EngineChoice& choice : gpu::engine_choices(descriptors, device("h100"), CUDNN_HEUR_MODE_A)) {
    if (!gpu::refusal_of(choice, graph, {}).empty()) continue;
    const std::string json = gpu::ExecutionPlan(graph, device("h100"), std::move(choice)).json();
    if (json != first) return json;
  }
  FAIL("cuDNN has one engine only");
  return {};
}
std::string key(const gpu::OperationGraph& graph) { return gpu::PlanCache::key_of(graph, device("h100"), {}); }
}  // namespace

TEST_CASE("a plan is made once for a graph, a device and a policy, by however many threads") {
  gpu::PlanCache cache{gpu::DiskCache("")};
  const gpu::ExecutionPlan* found[4]{};
  std::vector<std::thread> threads;
  for (const gpu::ExecutionPlan*& plan : found)
    threads.emplace_back([&] { plan = cache.find(convolution(), device("h100")); });
  for (std::thread& thread : threads) thread.join();
  REQUIRE(found[0]);
  for (const gpu::ExecutionPlan* plan : found) CHECK(plan == found[0]);
  const std::set<const gpu::ExecutionPlan*> others{
      found[0], cache.find(convolution(3), device("h100")), cache.find(convolution(), device("a100")),
      cache.find(convolution(), device("h100"), {.deterministic = true})};
  CHECK(others.size() == 4);
  CHECK_FALSE(others.contains(nullptr));
  CHECK(&cache.get(convolution(), device("h100")) == found[0]);
}

TEST_CASE("a later run takes plans from the folder") {
  const Folder folder;
  const std::string json = another_plan(convolution());
  gpu::DiskCache(folder.path).write(key(convolution()), json);
  CHECK(gpu::PlanCache(gpu::DiskCache(folder.path)).get(convolution(), device("h100")).json() == json);
  CHECK(gpu::PlanCache(gpu::DiskCache(folder.path)).get(convolution(3), device("h100")).json() != json);
}

TEST_CASE("the text of a plan makes the same plan") {
  const gpu::ExecutionPlan plan = gpu::make_plan(convolution(), device("h100"));
  const gpu::ExecutionPlan restored(convolution(), device("h100"), std::string_view(plan.json()));
  CHECK(restored.json() == plan.json());
  CHECK(restored.workspace_bytes() == plan.workspace_bytes());
}

TEST_CASE("what cannot be used is made and written again") {
  const Folder folder;
  const gpu::DiskCache disk = gpu::DiskCache(folder.path);
  const std::string json = gpu::PlanCache(disk).get(convolution(), device("h100")).json(), path = disk.path(key(convolution())),
                    whole = contents(path);
  const auto repaired = [&] {
    CHECK(gpu::PlanCache(disk).get(convolution(), device("h100")).json() == json);
    CHECK(contents(path) == whole);
  };
  SECTION("a file that is cut off") { fs::resize_file(path, whole.size() / 2); }
  SECTION("a file in which a byte is another") {
    std::string damaged = whole;
    damaged[whole.size() - 9] ^= 1;
    overwrite(path, damaged);
  }
  SECTION("a plan that cuDNN refuses") { disk.write(key(convolution()), "{}"); }
  SECTION("a plan of another version") {
    std::string other = json;
    const std::size_t at = other.find("\"cudnnVersion\":") + 15;
    REQUIRE(at > 15);
    other.replace(at, other.find(',', at) - at, "80000");
    disk.write(key(convolution()), other);
  }
  REQUIRE(contents(path) != whole);
  repaired();
}

TEST_CASE("that there is no engine is remembered, in memory only") {
  const Folder folder;
  gpu::PlanCache cache{gpu::DiskCache(folder.path)};
  CHECK(cache.find(two_convolutions(), device("h100")) == nullptr);
  CHECK(folder.files() == 0);
  gpu::DiskCache(folder.path).write(key(two_convolutions()), gpu::make_plan(convolution(), device("h100")).json());
  CHECK(cache.find(two_convolutions(), device("h100")) == nullptr);
  CHECK(gpu::PlanCache(gpu::DiskCache(folder.path)).find(two_convolutions(), device("h100")) != nullptr);
  for (const std::string& part : {std::string("cuDNN has no engine on NVIDIA H100"), gpu::text_of(two_convolutions())})
    CHECK_THROWS_MATCHES(cache.get(two_convolutions(), device("h100")), gpu::unsupported_graph,
                         MessageMatches(ContainsSubstring(part)));
}

TEST_CASE("a graph that is wrong is no graph without an engine") {
  gpu::PlanCache cache{gpu::DiskCache("")};
  gpu::OperationGraph wrong = convolution();
  wrong.tensors[2].dims[1] = 7;
  for (int i = 0; i < 2; ++i)
    CHECK_THROWS_MATCHES(cache.find(wrong, device("h100")), gpu::gpu_error,
                         MessageMatches(ContainsSubstring("[1, 7, 1, 1] does not spread")));
}
