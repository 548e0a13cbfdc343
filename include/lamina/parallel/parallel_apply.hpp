/// torch.nn.parallel.parallel_apply: replicas at the same time.
#pragma once
#include "../core/callback.hpp"
#include "../threads/share.hpp"
#include <exception>
#include <vector>

namespace lamina::parallel {

/// Calls run(i) for every i below `count`, on as many threads of the pool as there are replicas and cores. What a
/// replica computes stays on its thread. Throws what the lowest number threw, when all have ended.
[[gnu::noinline]] inline void parallel_apply(int count, const lamina::detail::Callback<int>& run) {
  std::vector<std::exception_ptr> faults(static_cast<std::size_t>(count));
  threads::share(count, count, 1, [&](int, threads::Work& replicas) {
    for (const std::int64_t i : replicas) try {
        run(int(i));
      } catch (...) { faults[static_cast<std::size_t>(i)] = std::current_exception(); }
  });
  for (const std::exception_ptr& fault : faults)
    if (fault) std::rethrow_exception(fault);
}

}  // namespace lamina::parallel
