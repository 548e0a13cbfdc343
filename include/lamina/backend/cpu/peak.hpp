/// What the machine's vector units can do at most, measured: the yardstick of a kernel's speed.
#pragma once
#include "../../threads/pool.hpp"
#include "rows.hpp"
#include <algorithm>
#include <ctime>
#include <numeric>
#include <vector>

namespace lamina::inline LAMINA_ISA::host {

namespace detail {
/// As many independent sums as the micro-kernel has: they hide the latency of a multiply-add and fit into registers.
inline constexpr int peak_sums = register_tile.pixels * register_tile.group_blocks * int(channel_block) / vector_floats;

/// s = s * factor + addend, `steps` times for each sum. The sums begin with different numbers, and nothing is known of
/// these here, so that no compiler can make one sum of them.
LAMINA_ONE_COPY inline float multiply_and_add(int steps, const float* begin, float factor, float addend) {
  vector sum[peak_sums];
  LAMINA_UNROLL for (int i = 0; i < peak_sums; ++i) sum[i] = vector{} + begin[i];
  for (int step = 0; step < steps; ++step) {
    LAMINA_UNROLL for (int i = 0; i < peak_sums; ++i) sum[i] = sum[i] * factor + addend;
  }
  vector total{};
  LAMINA_UNROLL for (int i = 0; i < peak_sums; ++i) total += sum[i];
  return total[0];
}

inline long long nanoseconds_of_thread() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}
}  // namespace detail

/// GFLOP/s of so many threads together, two for a multiply-add: vector registers alone, no memory. It is the best of
/// four rounds that take 5 ms each, in time of the processors, so that what other programs take does not count. Without
/// fused multiply-adds in the instruction set, it is products and sums one after the other.
inline double measure_peak(int threads) {
  constexpr int steps = 20'000;
  float begin[detail::peak_sums];
  for (int i = 0; i < detail::peak_sums; ++i) begin[i] = float(i);
  volatile float factor = 0.5f;
  std::vector<double> rates(std::size_t(threads), 0.);  // operations a nanosecond
  double best = 0;
  for (int round = 0; round < 4; ++round) {
    threads::run(threads, [&](int part) {
      double operations = 0;
      const long long start = detail::nanoseconds_of_thread(), end = threads::detail::nanoseconds() + 5'000'000;
      do {
        volatile float result = detail::multiply_and_add(steps, begin, factor, float(part));
        (void)result;
        operations += 2. * steps * detail::peak_sums * vector_floats;
      } while (threads::detail::nanoseconds() < end);
      rates[std::size_t(part)] = operations / double(detail::nanoseconds_of_thread() - start);
    });
    best = std::max(best, std::accumulate(rates.begin(), rates.end(), 0.));
  }
  // More threads than processors take turns.
  return best * std::min(1., double(threads::usable_cpus().size()) / threads);
}

}  // namespace lamina::inline LAMINA_ISA::host
