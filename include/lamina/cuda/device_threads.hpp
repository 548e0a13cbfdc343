/// Threads that stay with their devices.
#pragma once
#include "../core/callback.hpp"
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace lamina::gpu {

/// Threads numbered from 0, which wait for work. Contexts, plans and handles belong to a thread, so that what concerns
/// a device is best done by the same thread each time.
class DeviceThreads {
  std::mutex calls, mutex;
  std::condition_variable_any begin, end;
  const lamina::detail::Callback<int>* work = nullptr;
  int wanted = 0, running = 0;
  unsigned long turn = 0;
  std::vector<std::exception_ptr> faults;
  std::vector<std::jthread> threads;  // last: they end before the rest goes

  void serve(std::stop_token stop, int number) {
    std::unique_lock lock(mutex);
    for (unsigned long seen = 0; begin.wait(lock, stop, [&] { return turn != seen; });) {
      seen = turn;
      if (number >= wanted) continue;
      lock.unlock();
      std::exception_ptr fault;
      try {
        (*work)(number);
      } catch (...) { fault = std::current_exception(); }
      lock.lock();
      faults[std::size_t(number)] = fault;
      if (--running == 0) end.notify_all();
    }
  }

 public:
  explicit DeviceThreads(std::size_t count) : faults(count) {
    for (std::size_t i = 0; i < count; ++i)
      threads.emplace_back([this, i](std::stop_token stop) { serve(std::move(stop), int(i)); });
  }

  /// Thread i calls run(i), for each i below `count`, all at the same time. Throws what the lowest number threw, when
  /// all have ended. Calls from several threads take turns.
  void run(std::size_t count, const lamina::detail::Callback<int>& run) {
    const std::lock_guard one_call(calls);
    std::unique_lock lock(mutex);
    faults.assign(threads.size(), nullptr);
    work = &run;
    wanted = running = int(count);
    ++turn;
    begin.notify_all();
    end.wait(lock, [&] { return running == 0; });
    for (const std::exception_ptr& fault : faults)
      if (fault) std::rethrow_exception(fault);
  }
};

}  // namespace lamina::gpu
