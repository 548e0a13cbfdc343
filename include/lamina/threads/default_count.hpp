/// How many threads a program uses that does not say so itself.
#pragma once
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>
#ifdef __linux__
#include <sched.h>
#else
#include <unistd.h>
#endif

namespace lamina::threads {

/// The value of a number of threads written in decimal digits, blanks around it allowed; 0 for any other text.
inline int parse_count(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  int count = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || count > (INT_MAX - 9) / 10) return 0;
    count = 10 * count + (c - '0');
  }
  return count;
}

/// The numbers of the CPUs that the calling thread may run on.
inline std::vector<int> usable_cpus() {
#ifdef __linux__
  static constexpr int limit = 8192;  // the most that Linux supports
  cpu_set_t set[limit / CPU_SETSIZE]{};
  if (sched_getaffinity(0, sizeof set, set) == 0) {
    std::vector<int> cpus(std::size_t(CPU_COUNT_S(sizeof set, set)));
    int* next = cpus.data();
    for (int cpu = 0; cpu < limit; ++cpu)
      if (CPU_ISSET_S(std::size_t(cpu), sizeof set, set)) *next++ = cpu;
    if (!cpus.empty()) return cpus;
  }
#else
  if (const long count = sysconf(_SC_NPROCESSORS_ONLN); count > 0) {
    std::vector<int> cpus(static_cast<std::size_t>(count));
    for (long cpu = 0; cpu < count; ++cpu) cpus[std::size_t(cpu)] = int(cpu);
    return cpus;
  }
#endif
  return std::vector<int>(1);
}

/// The number of physical cores that the CPUs belong to: kernels fill a core, so that its second hardware thread gains
/// nothing. A CPU of which Linux's topology folder says nothing is a core of its own.
inline int count_cores(const std::vector<int>& cpus, const char* folder = "/sys/devices/system/cpu") {
  std::vector<int> cores(cpus);  // of each CPU, known by its first
  int count = 0;
  for (std::size_t i = 0; i < cores.size(); ++i) {
    char path[512];
    std::snprintf(path, sizeof path, "%s/cpu%d/topology/thread_siblings_list", folder, cpus[i]);
    if (std::FILE* const file = std::fopen(path, "r")) {
      if (std::fscanf(file, "%d", &cores[i]) != 1) cores[i] = cpus[i];
      std::fclose(file);
    }
    std::size_t first = 0;
    while (cores[first] != cores[i]) ++first;
    count += first == i;
  }
  return count;
}

/// The number of CPUs, rounded up, whose time a container may use (cgroup 2), or INT_MAX without a limit.
inline int cpu_quota(const char* path = "/sys/fs/cgroup/cpu.max") {
  double quota = 0, period = 0;
  if (std::FILE* const file = std::fopen(path, "r")) {
    if (std::fscanf(file, "%lf %lf", &quota, &period) != 2) quota = 0;  // "max 100000"
    std::fclose(file);
  }
  if (!(quota > 0 && period > 0 && quota / period < INT_MAX - 1)) return INT_MAX;
  const int whole = int(quota / period);
  return whole + (whole * period < quota);
}

/// The environment variable LAMINA_NUM_THREADS if it is set, else one thread for each physical core that the process
/// may use. A value that is no number of threads gives one line on standard error, and is otherwise as if it was not
/// set.
inline int default_count() {
  const char* const text = std::getenv("LAMINA_NUM_THREADS");
  const bool given = text && *text;
  if (const int count = given ? parse_count(text) : 0; count > 0) return count;
  const int all = count_cores(usable_cpus()), quota = cpu_quota(), cores = all < quota ? all : quota;
  if (given)
    std::fprintf(stderr, "lamina: LAMINA_NUM_THREADS=\"%s\" is no number of threads (1 or more); using %d\n", text,
                 cores);
  return cores;
}

}  // namespace lamina::threads
