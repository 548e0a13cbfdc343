/// Tier C: the real cuDNN makes plans for the graphs that the tests on emulated devices ran, for GPUs that are not
/// there.   LAMINA_GRAPH_RECORD=FILE gpu_replay_tests
///
/// It runs with the null driver in place of libcuda (null_driver), after the tests that write the record. Graphs are
/// planned for all of the GPUs; of those that asked.txt lists, which were before, one in four is again, for one of
/// them. fallbacks.txt lists the graphs without an engine, or without a deterministic one. With LAMINA_ALL_DEVICES=1
/// all is planned anew, and the file FILE.asked becomes what asked.txt has to be.
#include "folder.hpp"
#include "in_child.hpp"
#include "recorded_graphs.hpp"
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <iterator>
#include <lamina/backend/cuda/hash.hpp>
#include <lamina/cuda/execution_plan.hpp>

using namespace lamina;

namespace {
/// A file of this folder.
std::istringstream file_here(const std::string& name) {
  return std::istringstream(contents(LAMINA_SOURCE_ROOT "/tests/gpu/" + name));
}

struct KnownDevice {
  std::string name;
  gpu::DeviceProperties properties;
};
const std::vector<KnownDevice>& devices() {
  static const std::vector<KnownDevice> all = [] {
    std::vector<KnownDevice> list;
    for (const std::string name : {"a100", "l4", "h100", "b200"})
      list.push_back({name, gpu::DeviceProperties(file_here("devices/" + name + ".json").str())});
    return list;
  }();
  return all;
}

/// Graphs by their texts.
using Graphs = std::map<std::string, recorded::Graph>;

/// Every graph of a record, those with products of float32 strict and with TF32.
Graphs graphs_of(const char* file) {
  Graphs graphs;
  std::istringstream record(contents(file));
  for (recorded::Graph graph : recorded::read(record)) {
    graphs.emplace(gpu::text_of(graph.graph), graph);
    if (gpu::detail::multiplies_float32(graph.graph)) graph.graph.math = gpu::Math::tensorfloat32;
    graphs.emplace(gpu::text_of(graph.graph), graph);
  }
  return graphs;
}

std::string one_line(std::string text) {
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

std::string hash_of(const std::string& text) { return gpu::hexadecimal(gpu::hash_of(text)); }

/// What cuDNN loads for a plan by an engine that is there, and by one that it compiles: then copies of this process
/// have it already.
void load_engines(const Graphs& graphs) {
  for (const auto kind : {gpu::GraphNode::Kind::max_pool, gpu::GraphNode::Kind::convolution}) {
    const auto found = std::find_if(graphs.begin(), graphs.end(), [&](const auto& entry) {
      return entry.second.taken && entry.second.graph.nodes[0].kind == kind;
    });
    if (found != graphs.end()) answer(found->second.graph, devices()[2].properties);
  }
}
}  // namespace

TEST_CASE("cuDNN plans what was run on emulated devices, or it is known that it does not") {
  const char* const record = std::getenv("LAMINA_GRAPH_RECORD");
  if (!record) SKIP("LAMINA_GRAPH_RECORD names no record");
  const Graphs graphs = graphs_of(record);
  load_engines(graphs);
  struct Job {
    const Graphs::value_type* graph;
    const KnownDevice* device;
  };
  const bool all = std::getenv("LAMINA_ALL_DEVICES");
  std::istringstream list_of_asked = file_here("asked.txt");
  const std::set<std::string> asked{std::istream_iterator<std::string>(list_of_asked), {}};
  std::vector<Job> jobs;
  std::size_t turn = 0;
  for (const auto& graph : graphs) {
    const bool anew = all || !asked.contains(hash_of(graph.first));
    for (std::size_t device = 0; device < devices().size(); ++device)
      if (anew || turn % 16 == 4 * device) jobs.push_back({&graph, &devices()[device]});
    ++turn;
  }
  const std::vector<std::string> answers =
      in_children(60, jobs, [](const Job& job) { return answer(job.graph->second.graph, job.device->properties); });

  std::map<std::string, std::string> fallbacks;
  std::istringstream list = file_here("fallbacks.txt");
  for (std::string line; std::getline(list, line);)
    if (const std::size_t end = line.find(": "); !line.starts_with('#') && end != line.npos)
      fallbacks[line.substr(end + 2)] = line.substr(0, end);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const auto& [text, graph] = *jobs[i].graph;
    const std::string line = jobs[i].device->name + ": " + one_line(text);
    INFO(line);
    CHECK(answers[i] == (fallbacks.contains(line) ? fallbacks[line] : planned));
    CHECK((answers[i] != no_engine) == graph.taken);
  }
  if (!all) return;
  std::ofstream now(record + std::string(".asked"));
  for (const auto& [text, graph] : graphs) now << hash_of(text) << '\n';
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
