/// Tier D: the real NVRTC compiles the kernels that the tests on emulated devices ran, for four architectures.
///   LAMINA_KERNEL_RECORD=FOLDER gpu_recorded_kernels_tests
///
/// It runs after the tests that write the record. Each program is compiled for one of the architectures, with
/// LAMINA_ALL_DEVICES=1 for all.
#include "folder.hpp"
#include "in_child.hpp"
#include "local_memory.hpp"
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <lamina/cuda/nvrtc.hpp>
#include <set>

using namespace lamina;

namespace {
/// By its name, the operation and a hash.
bool is_elementwise(const std::string& kernel) {
  static const std::set<std::string> names{"add",      "copy",       "div",  "gelu", "gelu_tanh",
                                           "identity", "leaky_relu", "mul",  "relu", "scale",
                                           "shift",    "sigmoid",    "silu", "sub",  "tanh"};
  return names.contains(kernel.substr(0, kernel.rfind('_')));
}
}  // namespace

TEST_CASE("what ran on emulated devices compiles for every architecture") {
  const char* const folder = std::getenv("LAMINA_KERNEL_RECORD");
  if (!folder) SKIP("LAMINA_KERNEL_RECORD names no record");
  struct Job {
    fs::path file;
    std::string source;
    int architecture;
  };
  std::set<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.insert(entry.path());
  REQUIRE(!files.empty());
  const bool all = std::getenv("LAMINA_ALL_DEVICES");
  const std::array architectures{80, 90, 100, 120};
  std::vector<Job> jobs;
  std::size_t number = 0;
  for (const fs::path& file : files) {
    for (const int architecture : architectures)
      if (all || architecture == architectures[number % 4]) jobs.push_back({file, contents(file), architecture});
    ++number;
  }
  const std::vector<std::string> answers = in_children(60, jobs, [](const Job& job) {
    return "compiled\n" + gpu::compile_cubin(job.source, job.architecture, say_local_memory).log;
  });
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    INFO(jobs[i].file << " for sm_" << jobs[i].architecture << ": " << answers[i]);
    REQUIRE(answers[i].starts_with("compiled"));
    CHECK(answers[i].find("warning") == std::string::npos);
    const auto local = local_memory_in(answers[i]);
    CHECK(!local.empty());
    for (const auto& [kernel, bytes] : local) {
      INFO(kernel << ": " << bytes << " bytes");
      CHECK(bytes <= (is_elementwise(kernel) ? 0 : most_local_memory));
    }
  }
}
