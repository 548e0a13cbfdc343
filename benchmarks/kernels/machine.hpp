/// What one core of this machine can do, measured.
#pragma once
#include <algorithm>
#include <benchmark/benchmark.h>
#include <cstddef>
#include <ctime>
#include <lamina/backend/cpu/target.hpp>
#include <vector>

namespace machine {

inline constexpr int width = lamina::host::vector_floats;
/// A vector register.
typedef float Vector __attribute__((vector_size(width * sizeof(float))));
/// Independent sums: more than enough to hide the latency of an addition on two units, and few enough for 16 registers.
inline constexpr int chains = 12;
struct Sums {
  Vector chain[chains] = {};
};

/// Processor time of this program: what other programs take does not count.
inline double seconds() { return double(std::clock()) / CLOCKS_PER_SEC; }

/// The best of some trials of f(), which returns work done, in work a second.
template <class F> double best_rate(F f) {
  double best = 0;
  for (int trial = 0; trial < 10; ++trial) {
    const double start = seconds();
    const double work = f();
    best = std::max(best, work / (seconds() - start));
  }
  return best;
}

/// Bytes a second: reading this many bytes again and again, from whichever cache or memory holds them.
inline double bandwidth(std::size_t bytes) {
  std::vector<Sums> memory(std::max<std::size_t>(bytes / sizeof(Sums), 1));
  const std::size_t passes = std::max<std::size_t>(64'000'000 / (memory.size() * sizeof(Sums)), 1);
  return best_rate([&] {
    Sums sums;
    for (std::size_t pass = 0; pass < passes; ++pass) {
      for (const Sums& read : memory) {
        LAMINA_UNROLL
        for (int i = 0; i < chains; ++i) sums.chain[i] += read.chain[i];
      }
      benchmark::ClobberMemory();
    }
    benchmark::DoNotOptimize(sums);
    return double(passes * memory.size() * sizeof(Sums));
  });
}

}  // namespace machine
