/// The threads that kernels share. There is one pool in a process; its threads start at the first run that needs them
/// and end when the program does.
///
/// A run hands its work to each thread through one word of that thread's own cache line, and the thread says there that
/// it is done. Whoever waits reads the word for some 50 microseconds, which covers the time between two kernels of a
/// net, and then sleeps until it changes. With two threads on idle cores a run takes 0.2 to 0.5 microseconds more than
/// its parts while they wait, and 10 to 60 when they sleep.
#pragma once
#include "../core/error.hpp"
#include "default_count.hpp"
#include <atomic>
#include <climits>
#include <cstdint>
#include <ctime>
#include <exception>
#include <pthread.h>
#include <sched.h>
#include <string>
#include <utility>

namespace lamina {

namespace threads {
namespace detail {

inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// How the processor rounds, and whether it flushes subnormal numbers. Every thread of a run takes it over from the
/// caller, so that results do not depend on which thread computes them.
inline std::uint32_t float_control() {
#if defined(__SSE__)
  return __builtin_ia32_stmxcsr() & 0xffc0u;  // without the flags of past exceptions
#elif defined(__aarch64__)
  std::uint64_t control;
  asm volatile("mrs %0, fpcr" : "=r"(control));
  return std::uint32_t(control);  // the upper half is reserved
#else
  return 0;
#endif
}
inline void set_float_control([[maybe_unused]] std::uint32_t control) {
#if defined(__SSE__)
  __builtin_ia32_ldmxcsr(control);
#elif defined(__aarch64__)
  asm volatile("msr fpcr, %0" : : "r"(std::uint64_t(control)));
#endif
}

/// The CPU that this thread is on, or -1 where systems do not tell.
inline int current_cpu() {
#ifdef __linux__
  return sched_getcpu();
#else
  return -1;
#endif
}

/// What a run does: call(object, part) for every part.
struct Job {
  void* object = nullptr;
  void (*call)(void*, int) = nullptr;
  int parts = 0;
  int threads = 1;
  std::uint32_t control = 0;  // of the caller
  int cpu = -1;
};

/// The first exception of a thread, and the part that threw it.
struct Failure {
  std::exception_ptr exception;
  int part = INT_MAX;
};

/// Calls every part of one thread: number, number + threads, ...
inline void call_parts(const Job& job, int number, Failure& failure) noexcept {
  for (long long part = number; part < job.parts; part += job.threads) {
    try {
      job.call(job.object, int(part));
    } catch (...) {
      if (!failure.exception) failure = {std::current_exception(), int(part)};
    }
  }
}

inline long long nanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

/// Asks done() for some 50 microseconds, about what it costs to wake a thread that sleeps, and returns its last answer.
/// Where the thread that is waited for needs this CPU, it gets it early: threads may outnumber the CPUs, or other_cpu()
/// be this one, as happens when other programs keep the rest busy.
template <class Done, class OtherCpu> bool spin(bool crowded, Done done, OtherCpu other_cpu) {
  if (crowded) {
    for (int i = 0; i < 8; ++i, sched_yield())
      if (done()) return true;
    return done();
  }
  const auto ask = [&] {
    for (int i = 0; i < 64; ++i, pause())
      if (done()) return true;
    return false;
  };
  if (ask()) return true;
  for (const long long end = nanoseconds() + 50'000; nanoseconds() < end;) {
    if (const int cpu = current_cpu(); cpu >= 0 && cpu == other_cpu()) break;
    if (ask()) return true;
  }
  return done();
}

/// A thread of the pool, in a cache line of its own, and far enough from the next for prefetchers that fetch two.
struct alignas(128) Worker {
  /// Caller and worker pass one word to and fro:
  ///   idle -> given        the caller has written a job         (idle -> parked first if none came for long)
  ///   given -> idle        the worker has done it               (given -> awaited first if it took long)
  /// A side that finds parked or awaited wakes the other.
  enum State : std::uint32_t { idle, parked, given, awaited, quit };

  std::atomic<std::uint32_t> state{idle};
  std::atomic<int> cpu{-1};  // where it was when its last job began
  int number = 0;
  bool crowded = false;
  Job job;
  Failure failure;
  pthread_t thread{};

  void give(const Job& what) {
    job = what;
    change_to(given);
  }
  void await() {
    const auto done = [this] { return state.load(std::memory_order_acquire) != given; };
    const auto worker_cpu = [this] { return cpu.load(std::memory_order_relaxed); };
    std::uint32_t seen = given;
    if (!spin(crowded, done, worker_cpu) && state.compare_exchange_strong(seen, awaited)) state.wait(awaited);
  }
  void end() {
    change_to(quit);
    pthread_join(thread, nullptr);
  }

  /// The thread itself.
  void work() {
    int caller_cpu = -1;
    for (;;) {
      std::uint32_t seen = idle;
      const auto changed = [&] { return (seen = state.load(std::memory_order_acquire)) != idle; };
      spin(crowded, changed, [&] { return caller_cpu; });
      if (seen == idle && state.compare_exchange_strong(seen, parked)) {
        state.wait(parked);
        seen = state.load();
      }
      if (seen == quit) return;
      caller_cpu = job.cpu;
      cpu.store(current_cpu(), std::memory_order_relaxed);
      if (float_control() != job.control) set_float_control(job.control);
      call_parts(job, number, failure);
      change_to(idle);
    }
  }

 private:
  void change_to(State next) {
    const std::uint32_t before = state.exchange(next);
    if (before == parked || before == awaited) state.notify_one();
  }
};

/// Everything that runs share. Constant at the start and never destroyed, so that it may be used before main and after.
struct Pool {
  /// Threads asked for, the caller's included; 0: nobody asked yet.
  std::atomic<int> wanted{0};

  /// Whoever sets it owns all that follows.
  alignas(128) std::atomic<bool> busy{false};
  bool known_to_process = false;
  int count = 0;
  Worker* workers = nullptr;

  bool acquire() { return !busy.load(std::memory_order_relaxed) && !busy.exchange(true, std::memory_order_acquire); }
  void release() { busy.store(false, std::memory_order_release); }

  /// Ends all workers.
  void stop() {
    for (; count > 0; --count) workers[count - 1].end();
    delete[] std::exchange(workers, nullptr);
  }
  void start(int n);
  void run(Job job);
};
inline constinit Pool pool;

/// The program ends: so do the workers, unless a run has them, which the end of the process then cuts short. What runs
/// later (destructors) runs on its own thread.
inline void at_exit() {
  if (pool.acquire()) pool.stop();
}
/// A child has one thread. Its own workers start when it needs them.
inline void in_forked_child() {
  for (int i = 0; i < pool.count; ++i) pool.workers[i].state.store(Worker::idle);  // nobody waits for them
  pool.count = 0;
  pool.release();
}

/// Starts n workers, or as many as the system allows.
inline void Pool::start(int n) {
  stop();
  if (!known_to_process) {
    known_to_process = true;
    std::atexit(at_exit);
    pthread_atfork(nullptr, nullptr, in_forked_child);
  }
  const bool crowded = n >= int(usable_cpus().size());
  workers = new Worker[std::size_t(n)];
  for (; count < n; ++count) {
    Worker& worker = workers[count];
    worker.number = count + 1;
    worker.crowded = crowded;
    const auto work = [](void* w) -> void* { return static_cast<Worker*>(w)->work(), nullptr; };
    if (pthread_create(&worker.thread, nullptr, work, &worker) != 0) break;
  }
  // What the system refuses now is not asked for again by every run.
  if (int asked = n + 1; count < n) wanted.compare_exchange_strong(asked, count + 1);
}

inline void rethrow(Failure& failure) {
  if (failure.exception) std::rethrow_exception(std::move(failure.exception));
}

/// All parts on this thread.
inline void run_alone(const Job& job) {
  Failure failure;
  call_parts(job, 0, failure);
  rethrow(failure);
}

}  // namespace detail
}  // namespace threads

/// The number of threads that kernels may use, the calling one included. At first it is the environment variable
/// LAMINA_NUM_THREADS or, without it, the number of physical cores that the process may use.
inline int num_threads() {
  std::atomic<int>& wanted = threads::detail::pool.wanted;
  int n = wanted.load(std::memory_order_relaxed);
  if (n == 0) {
    const int first = threads::default_count();
    if (wanted.compare_exchange_strong(n, first)) n = first;
  }
  return n;
}

/// Sets the number of threads that kernels may use, the calling one included, from the next run on. Threads beyond it
/// end now or, if another thread is in a run, at the next run that shares its work. n is 1 or more, else
/// parameter_error. Equivalent: torch.set_num_threads.
inline void set_num_threads(int n) {
  if (n < 1) throw parameter_error("set_num_threads(" + std::to_string(n) + "): the number of threads is 1 or more");
  threads::detail::Pool& pool = threads::detail::pool;
  pool.wanted.store(n, std::memory_order_relaxed);
  if (!pool.acquire()) return;
  if (pool.count >= n) pool.stop();
  pool.release();
}

namespace threads {

namespace detail {
inline void Pool::run(Job job) {
  if (job.parts <= 1 || num_threads() <= 1 || !acquire()) return run_alone(job);
  Failure failure;
  {
    struct Owner {
      Pool& pool;
      ~Owner() { pool.release(); }
    } const owner{*this};
    if (const int n = num_threads(); count != n - 1) start(n - 1);
    job.threads = job.parts <= count ? job.parts : count + 1;
    Worker *const first = workers, *const last = first + job.threads - 1;
    job.control = float_control();
    job.cpu = current_cpu();
    for (Worker* worker = first; worker != last; ++worker) worker->give(job);
    call_parts(job, 0, failure);
    for (Worker* worker = first; worker != last; ++worker) {
      worker->await();
      if (!worker->failure.exception) continue;
      if (worker->failure.part < failure.part) std::swap(failure, worker->failure);
      worker->failure = {};
    }
  }
  rethrow(failure);
}
}  // namespace detail

/// Calls f(part) once for every part in [0, parts), on up to num_threads() threads, and returns when all calls have
/// ended; part 0 runs on the calling thread. Thread t takes the parts t, t + threads, t + 2 threads, ..., one after the
/// other: parts must not wait for each other.
///
/// If another thread is in a run, or this call is made inside a part, all parts run on the calling thread, in order. So
/// they do with one thread, and this then takes no lock. Nothing is allocated but by the first run after the number of
/// threads has changed, which starts them.
///
/// An exception does not keep other parts from being called. When they have ended, the caller gets the exception of the
/// lowest part that threw.
///
/// The child of a fork may run, on threads of its own. If the fork was made inside a part, the other parts are lost to
/// the child, which may only call exec or _exit.
template <class F> void run(int parts, F&& f) {
  if (parts == 1) {
    f(0);
    return;
  }
  auto call = [&f](int part) { f(part); };
  detail::pool.run({&call, [](void* object, int part) { (*static_cast<decltype(call)*>(object))(part); }, parts});
}

}  // namespace threads
}  // namespace lamina
