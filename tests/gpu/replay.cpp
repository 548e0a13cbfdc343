/// Tier C: the real cuDNN makes plans for the graphs of networks, for GPUs that are not there.   gpu_replay_tests
///
/// It runs with the null driver in place of libcuda (null_driver). fallbacks.txt lists the graphs for which cuDNN
/// has no engine. With LAMINA_ALL_PLANS=1 whole models are planned too.
#include "in_child.hpp"
#include "networks.hpp"
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <fstream>
#include <lamina/cuda/execution_plan.hpp>
#include <map>
#include <set>
#include <sstream>

using namespace lamina;

namespace {
using Lines = std::set<std::string>;
const char* const device_names[] = {"a100", "l4", "h100", "b200"};

std::ifstream opened(const std::string& file) {
  std::ifstream stream(LAMINA_SOURCE_ROOT "/tests/gpu/" + file);
  REQUIRE(stream.good());
  return stream;
}
gpu::DeviceProperties properties_of(const std::string& device) {
  std::ostringstream text;
  text << opened("devices/" + device + ".json").rdbuf();
  return gpu::DeviceProperties(text.str());
}
/// Lines of fallbacks.txt that begin with a title.
Lines listed(const std::string& title) {
  std::ifstream file = opened("fallbacks.txt");
  Lines lines;
  for (std::string line; std::getline(file, line);)
    if (line.rfind(title, 0) == 0) lines.insert(line);
  return lines;
}

const char* name_of(Precision precision) {
  constexpr const char* names[] = {"float32", "bfloat16", "tensorfloat32", "float16"};
  return names[int(precision)];
}
std::string one_line(std::string text) {
  text.pop_back();
  for (std::size_t at; (at = text.find('\n')) != text.npos;) text.replace(at, 1, "; ");
  return text;
}

/// A plan by an engine that is there and one by an engine that is compiled: what cuDNN loads for them, the copies of
/// this process have already.
void load_engines() {
  static const bool loaded = [] {
    const auto steps = networks::each_kind<Precision::float32>();
    const gpu::DeviceProperties h100 = properties_of("h100");
    for (const std::size_t i : {1, 2})
      static_cast<void>(gpu::make_plan(gpu::lower(steps[i].step, steps[i].first, {}).graph, h100));
    return true;
  }();
  static_cast<void>(loaded);
}

const std::string planned = "planned", no_engine = "no engine";
std::string answer(const gpu::OperationGraph& graph, const gpu::DeviceProperties& device) {
  return in_child(60, [&] {
    try {
      static_cast<void>(gpu::make_plan(graph, device));
      return planned;
    } catch (const gpu::unsupported_graph&) { return no_engine; }
  });
}

/// Graphs without an engine, as the engine meets them: it asks for less of a step until there is a plan.
Lines fallbacks(const std::vector<networks::PlannedStep>& steps, const CompileOptions& options,
                const gpu::DeviceProperties& device, const std::string& title) {
  Lines lines;
  std::map<std::string, std::string> answers;
  for (const networks::PlannedStep& s : steps)
    for (const gpu::Reach reach : {gpu::Reach::everything, gpu::Reach::bias, gpu::Reach::producer}) {
      const gpu::Lowered lowered = gpu::lower(s.step, s.first, options, reach);
      if (!lowered.possible) continue;
      const std::string text = gpu::text_of(lowered.graph);
      if (!answers.contains(text)) answers[text] = answer(lowered.graph, device);
      if (answers[text] == planned) break;
      if (answers[text] == no_engine) lines.insert(title + one_line(text));
      else FAIL_CHECK(title << answers[text] << ": " << one_line(text));
    }
  CHECK(answers.size() > 20);
  return lines;
}

void compare(const Lines& found, const Lines& expected) {
  for (const std::string& line : found)
    if (!expected.contains(line)) FAIL_CHECK("cuDNN has no engine, and fallbacks.txt lacks: " << line);
  for (const std::string& line : expected)
    if (!found.contains(line)) FAIL_CHECK("cuDNN has an engine, though fallbacks.txt says: " << line);
}
template <Precision P> void check(const std::vector<networks::PlannedStep>& steps, const std::string& which) {
  load_engines();
  for (const char* const device : device_names) {
    const std::string title = which + " " + device + " " + name_of(P) + ": ";
    const gpu::DeviceProperties properties = properties_of(device);
    compare(fallbacks(steps, {.precision = P}, properties, title), listed(title));
  }
}
}  // namespace

TEMPLATE_TEST_CASE_SIG("cuDNN plans a step of each kind, or it is known that it does not", "", ((Precision P), P),
                       Precision::float32, Precision::tensorfloat32, Precision::float16, Precision::bfloat16) {
  check<P>(networks::each_kind<P>(), "each kind");
}

TEMPLATE_TEST_CASE_SIG("cuDNN plans whole models, or it is known where it does not", "", ((Precision P), P),
                       Precision::float32, Precision::tensorfloat32, Precision::float16, Precision::bfloat16) {
  if (!std::getenv("LAMINA_ALL_PLANS")) SKIP("LAMINA_ALL_PLANS=1 runs it");
  check<P>(networks::whole_models<P>(), "models");
}

TEST_CASE("a child says how its call ended") {
  CHECK(in_child(5, [] { return std::string("good"); }) == "good");
  CHECK(in_child(5, []() -> std::string { throw gpu::gpu_error("bad"); }) == "bad");
  CHECK(in_child(5, []() -> std::string { std::abort(); }) == "it ends by signal 6");
  CHECK(in_child(1, []() -> std::string {
          for (;;) static_cast<void>(getppid());
        }) == "it takes too long");
}
