/// How many threads a program uses that does not say so itself.
#include <catch2/catch_test_macros.hpp>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <lamina/threads/default_count.hpp>
#include <unistd.h>

using namespace lamina;

namespace {
struct TemporaryFolder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("lamina_threads_" + std::to_string(getpid()));

  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path / name).parent_path());
    std::ofstream(path / name) << text;
  }
};

// LAMINA_NUM_THREADS, as it was again at the end.
class Variable {
  const char* name = "LAMINA_NUM_THREADS";
  const char* given = std::getenv(name);
  std::string before = given ? given : "";

 public:
  void set(const char* value) const { setenv(name, value, 1); }
  void unset() const { unsetenv(name); }
  ~Variable() {
    if (given) set(before.c_str());
    else unset();
  }
};

// What default_count says on standard error meanwhile.
std::string complaint(int expected) {
  std::FILE* const file = std::tmpfile();
  std::fflush(stderr);
  const int before = dup(STDERR_FILENO);
  dup2(fileno(file), STDERR_FILENO);
  const int count = threads::default_count();
  std::fflush(stderr);
  dup2(before, STDERR_FILENO);
  close(before);
  std::rewind(file);
  char text[512]{};
  const std::size_t length = std::fread(text, 1, sizeof text - 1, file);
  std::fclose(file);
  CHECK(count == expected);
  return {text, length};
}
}  // namespace

TEST_CASE("threads: a number of threads is a positive decimal number") {
  CHECK(threads::parse_count("1") == 1);
  CHECK(threads::parse_count("16") == 16);
  CHECK(threads::parse_count(" 8\t\n") == 8);
  CHECK(threads::parse_count("007") == 7);
  CHECK(threads::parse_count("1000000000") == 1'000'000'000);
  for (const char* text : {"", " ", "0", "-1", "+2", "two", "2x", "x2", "2 3", "2,3", "1.5", "1e3", "0x10",
                           "99999999999", "18446744073709551617", "٣"})
    CHECK(threads::parse_count(text) == 0);
}

TEST_CASE("threads: LAMINA_NUM_THREADS is the default number, and a bad one is complained about") {
  const Variable variable;
  variable.unset();
  const int cores = threads::default_count();
  CHECK(cores >= 1);
  CHECK(cores <= int(threads::usable_cpus().size()));
  CHECK(complaint(cores) == "");

  variable.set("5");
  CHECK(complaint(5) == "");
  variable.set("");
  CHECK(complaint(cores) == "");
  for (const char* bad : {"0", "many"}) {
    variable.set(bad);
    const std::string text = complaint(cores);
    CHECK(text == "lamina: LAMINA_NUM_THREADS=\"" + std::string(bad) +
                      "\" is no number of threads (1 or more); using " + std::to_string(cores) + "\n");
  }
}

TEST_CASE("threads: the hardware threads of one core count once") {
  const TemporaryFolder folder;
  const auto siblings = [&](int cpu, const char* list) {
    folder.write("cpu" + std::to_string(cpu) + "/topology/thread_siblings_list", list);
  };
  // four cores as most machines number them, two as others do
  for (int cpu = 0; cpu < 8; ++cpu)
    siblings(cpu, (std::to_string(cpu % 4) + "," + std::to_string(cpu % 4 + 4) + "\n").c_str());
  for (int cpu = 8; cpu < 12; ++cpu) siblings(cpu, cpu < 10 ? "8-9\n" : "10-11\n");
  siblings(12, "12\n");
  siblings(13, "");
  const auto cores = [&](std::vector<int> cpus) { return threads::count_cores(cpus, folder.path.c_str()); };
  CHECK(cores({0, 1, 2, 3, 4, 5, 6, 7}) == 4);
  CHECK(cores({4, 5}) == 2);  // their cores' first CPUs are not ours
  CHECK(cores({0, 4}) == 1);
  CHECK(cores({8, 9, 10, 11}) == 2);
  CHECK(cores({12}) == 1);
  CHECK(cores({12, 13, 99}) == 3);  // nothing is known of the last two
  CHECK(threads::count_cores({0, 1, 2}, "/nowhere") == 3);
}

TEST_CASE("threads: a container's quota of CPU time is rounded up") {
  const TemporaryFolder folder;
  const auto quota = [&](const char* text) {
    folder.write("cpu.max", text);
    return threads::cpu_quota((folder.path / "cpu.max").c_str());
  };
  CHECK(quota("200000 100000\n") == 2);
  CHECK(quota("150000 100000\n") == 2);
  CHECK(quota("10000 100000\n") == 1);
  CHECK(quota("max 100000\n") == INT_MAX);
  CHECK(quota("") == INT_MAX);
  CHECK(quota("100000 0\n") == INT_MAX);
  CHECK(threads::cpu_quota("/nowhere/cpu.max") == INT_MAX);
}
