/// Tier C: the real cuDNN makes plans for the graphs that the tests on emulated devices ran, for GPUs that are not
/// there.   LAMINA_GRAPH_RECORD=FILE gpu_replay_tests
///
/// It runs with the null driver in place of libcuda (null_driver), after the tests that write the record. Graphs are
/// planned for all of the GPUs; of those that asked.txt lists, which were before, one in four is again, for one of
/// them. fallbacks.txt lists the graphs without an engine, or without a deterministic one. With LAMINA_ALL_DEVICES=1
/// all is planned anew, and the file FILE.asked becomes what asked.txt has to be.
#include "in_child.hpp"
#include "recorded_graphs.hpp"
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <iterator>
#include <lamina/backend/cuda/hash.hpp>
#include <lamina/cuda/execution_plan.hpp>

using namespace lamina;

namespace {
std::ifstream opened(const std::string& file) {
  std::ifstream stream(file);
  REQUIRE(stream.good());
  return stream;
}
std::ifstream opened_here(const std::string& file) { return opened(LAMINA_SOURCE_ROOT "/tests/gpu/" + file); }

struct KnownDevice {
  std::string name;
  gpu::DeviceProperties properties;
};
const std::vector<KnownDevice>& devices() {
  static const std::vector<KnownDevice> all = [] {
    std::vector<KnownDevice> list;
    for (const char* const name : {"a100", "l4", "h100", "b200"}) {
      std::ostringstream text;
      text << opened_here("devices/" + std::string(name) + ".json").rdbuf();
      list.push_back({name, gpu::DeviceProperties(text.str())});
    }
    return list;
  }();
  return all;
}

/// Every graph of the record, those with products of float32 strict and with TF32; in the order of their texts.
std::vector<recorded::Graph> recorded_graphs() {
  const char* const file = std::getenv("LAMINA_GRAPH_RECORD");
  if (!file) SKIP("LAMINA_GRAPH_RECORD names no record");
  std::map<std::string, recorded::Graph> sorted;
  std::ifstream record = opened(file);
  for (recorded::Graph graph : recorded::read(record)) {
    sorted.emplace(gpu::text_of(graph.graph), graph);
    if (gpu::detail::multiplies_float32(graph.graph)) graph.graph.math = gpu::Math::tensorfloat32;
    sorted.emplace(gpu::text_of(graph.graph), graph);
  }
  std::vector<recorded::Graph> graphs;
  for (const auto& [text, graph] : sorted) graphs.push_back(graph);
  return graphs;
}

std::string line_of(const std::string& device, const gpu::OperationGraph& graph) {
  std::string text = device + ": " + gpu::text_of(graph);
  text.pop_back();
  for (std::size_t at; (at = text.find('\n')) != text.npos;) text.replace(at, 1, "; ");
  return text;
}

const std::string planned = "planned", no_engine = "no engine", no_fixed_engine = "no deterministic engine";

/// Whether cuDNN proposes engines whose results vary: without them, the same engine is taken for either policy.
bool varies(const gpu::OperationGraph& graph, const gpu::DeviceProperties& device) {
  const gpu::GraphDescriptors descriptors(graph);
  for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK})
    for (const gpu::EngineChoice& choice : gpu::engine_choices(descriptors, device, mode))
      if (choice.has(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC)) return true;
  return false;
}
bool has_plan(const gpu::OperationGraph& graph, const gpu::DeviceProperties& device, gpu::EnginePolicy policy) {
  try {
    static_cast<void>(gpu::make_plan(graph, device, policy));
    return true;
  } catch (const gpu::unsupported_graph&) { return false; }
}
std::string answer(const gpu::OperationGraph& graph, const gpu::DeviceProperties& device) {
  if (!has_plan(graph, device, {})) return no_engine;
  return varies(graph, device) && !has_plan(graph, device, {.deterministic = true}) ? no_fixed_engine : planned;
}

std::string hash_of(const recorded::Graph& graph) { return gpu::hexadecimal(gpu::hash_of(gpu::text_of(graph.graph))); }

/// What cuDNN loads for a plan by an engine that is there, and by one that it compiles: then copies of this process
/// have it already.
void load_engines(const std::vector<recorded::Graph>& graphs) {
  std::size_t pools = 0, convolutions = 0;
  for (const auto& [graph, taken] : graphs) {
    const bool pool = graph.nodes[0].kind == gpu::GraphNode::Kind::max_pool;
    const bool convolution = taken && graph.nodes[0].kind == gpu::GraphNode::Kind::convolution;
    if ((pool && pools++ == 0) || (convolution && convolutions++ == 0)) answer(graph, devices()[2].properties);
  }
}
}  // namespace

TEST_CASE("cuDNN plans what was run on emulated devices, or it is known that it does not") {
  const std::vector<recorded::Graph> graphs = recorded_graphs();
  load_engines(graphs);
  struct Job {
    const recorded::Graph* graph;
    const KnownDevice* device;
  };
  const bool all = std::getenv("LAMINA_ALL_DEVICES");
  std::ifstream list_of_asked = opened_here("asked.txt");
  const std::set<std::string> asked{std::istream_iterator<std::string>(list_of_asked), {}};
  std::vector<Job> jobs;
  std::size_t turn = 0;
  for (const recorded::Graph& graph : graphs) {
    const bool anew = all || !asked.contains(hash_of(graph));
    for (std::size_t device = 0; device < devices().size(); ++device)
      if (anew || turn % 16 == 4 * device) jobs.push_back({&graph, &devices()[device]});
    ++turn;
  }
  const std::vector<std::string> answers =
      in_children(60, jobs, [](const Job& job) { return answer(job.graph->graph, job.device->properties); });

  std::map<std::string, std::string> fallbacks;
  std::ifstream list = opened_here("fallbacks.txt");
  for (std::string line; std::getline(list, line);)
    if (const std::size_t end = line.find(": "); !line.starts_with('#') && end != line.npos)
      fallbacks[line.substr(end + 2)] = line.substr(0, end);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const std::string line = line_of(jobs[i].device->name, jobs[i].graph->graph);
    INFO(line);
    CHECK(answers[i] == (fallbacks.contains(line) ? fallbacks[line] : planned));
    CHECK((answers[i] != no_engine) == jobs[i].graph->taken);
  }
  if (!all) return;
  std::ofstream now(std::getenv("LAMINA_GRAPH_RECORD") + std::string(".asked"));
  for (const recorded::Graph& graph : graphs) now << hash_of(graph) << '\n';
}

TEST_CASE("children answer in the order of their jobs, and say how their calls ended") {
  const std::vector<int> jobs{0, 1, 2, 3, 4};
  const std::vector<std::string> answers = in_children(1, jobs, [](int job) -> std::string {
    if (job == 1) throw gpu::gpu_error("bad");
    if (job == 2) std::abort();
    while (job == 3) static_cast<void>(getppid());
    return "good";
  });
  CHECK(answers == std::vector<std::string>{"good", "bad", "it ends by signal 6", "it takes too long", "good"});
}
