/// What the machine's vector units can do at most, measured: the yardstick of a kernel's speed.
#pragma once
#include "../../threads/pool.hpp"
#include "rows.hpp"

namespace lamina::inline LAMINA_ISA::cpu {

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
}  // namespace detail

/// GFLOP/s of so many threads together, two for a multiply-add: vector registers alone, no memory; the best of trials
/// that take 20 ms in all. Without fused multiply-adds in the instruction set, it is products and sums one after the
/// other. Threads beyond num_threads() wait for those before them.
inline double measure_peak(int threads) {
  constexpr int steps = 100'000;
  float begin[detail::peak_sums];
  for (int i = 0; i < detail::peak_sums; ++i) begin[i] = float(i);
  volatile float factor = 0.5f;
  double best = 0;
  const long long start = threads::detail::nanoseconds();
  for (long long before = start; before - start < 20'000'000;) {
    threads::run(threads, [&](int part) {
      volatile float result = detail::multiply_and_add(steps, begin, factor, float(part));
      (void)result;
    });
    const long long now = threads::detail::nanoseconds();
    best = std::max(best, 2. * steps * detail::peak_sums * vector_floats * threads / double(now - before));
    before = now;
  }
  return best;
}

}  // namespace lamina::inline LAMINA_ISA::cpu
