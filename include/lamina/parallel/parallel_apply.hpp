/// torch.nn.parallel.parallel_apply: one thread a replica.
#pragma once
#include <exception>
#include <thread>
#include <vector>

namespace lamina::parallel {

/// Calls run(object, i) for every i below `count` at the same time: number 0 on the calling thread, each other one on a
/// thread of its own. Throws what the lowest number threw, when all have ended.
[[gnu::noinline]] inline void parallel_apply(int count, void (*run)(void*, int), void* object) {
  std::vector<std::exception_ptr> faults(static_cast<std::size_t>(count));
  const auto guarded = [&](int i) {
    try {
      run(object, i);
    } catch (...) { faults[static_cast<std::size_t>(i)] = std::current_exception(); }
  };
  struct Joined {
    std::vector<std::thread> list;
    ~Joined() {
      for (std::thread& thread : list) thread.join();
    }
  };
  {
    Joined threads;  // joined also if a thread cannot be started
    threads.list.reserve(static_cast<std::size_t>(count));
    for (int i = 1; i < count; ++i) threads.list.emplace_back(guarded, i);
    guarded(0);
  }
  for (const std::exception_ptr& fault : faults)
    if (fault) std::rethrow_exception(fault);
}

}  // namespace lamina::parallel
