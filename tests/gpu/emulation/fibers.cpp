/// Threads of a block on fibers: fibers.hpp.
#include "fibers.hpp"
#include "state.hpp"
#include <algorithm>
#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <ucontext.h>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace emulation {

struct Fiber {
  static constexpr std::size_t stack_bytes = 128 << 10;
  ucontext_t context;
  std::unique_ptr<char[]> stack{new char[stack_bytes]};
  void* sanitizer = nullptr;
};

namespace {

// One block runs at a time: the lock of the emulation is held.
BlockRun* running = nullptr;
Fiber* current_fiber = nullptr;
std::vector<std::unique_ptr<Fiber>> idle, busy;
ucontext_t scheduler;
sigjmp_buf escape;
bool can_escape = false;

/// The address sanitizer has to know on which stack the program is.
#if defined(__SANITIZE_ADDRESS__)
const void* scheduler_stack = nullptr;
std::size_t scheduler_stack_bytes = 0;
void* scheduler_sanitizer = nullptr;
void before_fiber(Fiber& fiber) {
  __sanitizer_start_switch_fiber(&scheduler_sanitizer, fiber.stack.get(), Fiber::stack_bytes);
}
void after_fiber() { __sanitizer_finish_switch_fiber(scheduler_sanitizer, nullptr, nullptr); }
void on_fiber(void* own) { __sanitizer_finish_switch_fiber(own, &scheduler_stack, &scheduler_stack_bytes); }
void before_scheduler(void** own) { __sanitizer_start_switch_fiber(own, scheduler_stack, scheduler_stack_bytes); }
#else
void before_fiber(Fiber&) {}
void after_fiber() {}
void on_fiber(void*) {}
void before_scheduler(void**) {}
#endif

void switch_to(Fiber& fiber) {
  current_fiber = &fiber;
  before_fiber(fiber);
  swapcontext(&scheduler, &fiber.context);
  after_fiber();
}

void switch_to_scheduler() {
  Fiber& own = *current_fiber;
  before_scheduler(&own.sanitizer);
  swapcontext(&own.context, &scheduler);
  on_fiber(own.sanitizer);
}

void fiber_main() {
  on_fiber(nullptr);
  for (;;) {
    running->work();
    switch_to_scheduler();
  }
}

Fiber& take_fiber() {
  if (idle.empty()) {
    auto fiber = std::make_unique<Fiber>();
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = fiber->stack.get();
    fiber->context.uc_stack.ss_size = Fiber::stack_bytes;
    fiber->context.uc_link = nullptr;
    makecontext(&fiber->context, fiber_main, 0);
    idle.push_back(std::move(fiber));
  }
  busy.push_back(std::move(idle.back()));
  idle.pop_back();
  return *busy.back();
}

void give_back(const Fiber& fiber) {
  const auto it = std::find_if(busy.begin(), busy.end(), [&](const auto& one) { return one.get() == &fiber; });
  idle.push_back(std::move(*it));
  busy.erase(it);
}

/// An access that traps in a kernel ends the kernel; any other is the program's.
void on_trap(int signal, siginfo_t* info, void*) {
  const bool of_kernel = signal == SIGFPE || in_device_pages(info->si_addr) || std::uintptr_t(info->si_addr) < 65536;
  if (can_escape && of_kernel) {
    before_scheduler(nullptr);
    siglongjmp(escape, signal);
  }
  std::signal(signal, SIG_DFL);
}

/// Traps are ours while a block runs.
class Traps {
  static constexpr int signals[] = {SIGSEGV, SIGBUS, SIGFPE};
  struct sigaction before_[3];

 public:
  Traps() {
    struct sigaction ours {};
    ours.sa_sigaction = on_trap;
    ours.sa_flags = SA_SIGINFO | SA_NODEFER;
    for (int i = 0; i < 3; ++i) sigaction(signals[i], &ours, &before_[i]);
    can_escape = true;
  }
  ~Traps() {
    can_escape = false;
    for (int i = 0; i < 3; ++i) sigaction(signals[i], &before_[i], nullptr);
  }
  Traps(const Traps&) = delete;
  Traps& operator=(const Traps&) = delete;
};

}  // namespace

BlockRun::BlockRun(emulated::Machine& machine, std::function<void()> thread)
    : machine_(machine), thread_(std::move(thread)) {
  machine_.wait_for_block = wait_for_block;
  machine_.wait_for_warp = wait_for_warp;
  machine_.exchange = exchange;
  machine_.vote = vote;
}

std::string BlockRun::run() {
  const dim3& extents = machine_.block_extents;
  threads_.assign(std::size_t(extents.x) * extents.y * extents.z, Thread{});
  next_ = finished_ = 0;
  wrong_.clear();
  running = this;
  {
    const Traps traps;
    if (const int signal = sigsetjmp(escape, 1); signal == 0) schedule();
    else {
      after_fiber();
      wrong_ = signal == SIGFPE ? "an integer divided by zero" : "an access to memory that is not its own";
    }
  }
  running = nullptr;
  busy.clear();  // of threads that never end
  return wrong_;
}

void BlockRun::schedule() {
  while (finished_ < threads_.size() && wrong_.empty()) {
    if (next_ < threads_.size()) {
      Fiber& fiber = take_fiber();
      switch_to(fiber);
      if (threads_[current_].status == Status::finished) give_back(fiber);
      continue;
    }
    const auto ready = std::find_if(threads_.begin(), threads_.end(),
                                    [](const Thread& thread) { return thread.status == Status::ready; });
    if (ready == threads_.end()) {
      if (!open_barriers()) wrong_ = "a barrier that is not reached by every thread, at which it would hang";
      continue;
    }
    Fiber& fiber = *ready->fiber;
    start(std::size_t(ready - threads_.begin()));
    switch_to(fiber);
    if (threads_[current_].status == Status::finished) give_back(fiber);
  }
}

void BlockRun::start(std::size_t number) {
  current_ = number;
  const unsigned at = unsigned(number), x = machine_.block_extents.x, y = machine_.block_extents.y;
  machine_.thread = {at % x, at / x % y, at / x / y};
}

/// On a fiber: threads that are new, until one of them waits; that one goes on here later.
void BlockRun::work() {
  while (next_ < threads_.size()) {
    start(next_++);
    thread_();
    threads_[current_].status = Status::finished;
    ++finished_;
  }
}

void BlockRun::wait(Status how, unsigned mask, unsigned line) {
  Thread& thread = threads_[current_];
  thread.status = how;
  thread.mask = mask;
  thread.line = line;
  thread.fiber = current_fiber;
  switch_to_scheduler();
}

bool BlockRun::open_barriers() {
  if (open_block()) return true;
  bool opened = false;
  for (std::size_t first = 0; first < threads_.size(); first += 32) opened = open_warp(first) || opened;
  return opened;
}

/// Threads that have ended count as arrived.
bool BlockRun::open_block() {
  const Thread* seen = nullptr;
  for (const Thread& thread : threads_) {
    if (thread.status == Status::finished) continue;
    if (thread.status != Status::at_block || (seen && seen->line != thread.line)) return false;
    seen = &thread;
  }
  for (Thread& thread : threads_)
    if (thread.status == Status::at_block) thread.status = Status::ready;
  return seen != nullptr;
}

/// Lets those lanes go on whose whole mask waits at the same place.
bool BlockRun::open_warp(std::size_t first) {
  const std::size_t lanes = std::min<std::size_t>(32, threads_.size() - first);
  bool opened = false;
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    const Thread& waiting = threads_[first + lane];
    if (waiting.status != Status::at_warp) continue;
    const unsigned mask = waiting.mask, line = waiting.line;
    bool all = mask >> lane & 1;
    for (std::size_t other = 0; other < lanes; ++other) {
      const Thread& one = threads_[first + other];
      if (mask >> other & 1) all = all && one.status == Status::at_warp && one.mask == mask && one.line == line;
    }
    if (!all) continue;
    for (std::size_t other = 0; other < lanes; ++other)
      if (mask >> other & 1) threads_[first + other].status = Status::ready;
    opened = true;
  }
  return opened;
}

void BlockRun::wait_for_block(unsigned line) { running->wait(Status::at_block, 0, line); }
void BlockRun::wait_for_warp(unsigned mask, unsigned line) { running->wait(Status::at_warp, mask, line); }

void BlockRun::exchange(unsigned mask, unsigned line, const void* mine, void* result, unsigned bytes, int lane) {
  BlockRun& block = *running;
  Thread& own = block.threads_[block.current_];
  const unsigned turn = own.turn++ % 2;
  std::memcpy(own.given[turn], mine, std::min(bytes, 16u));
  if (bytes > 16) block.wrong_ = "a shuffle of more than 16 bytes";
  block.wait(Status::at_warp, mask, line);
  if (!block.takes_part(mask, std::size_t(lane))) {
    block.wrong_ = "a shuffle reads lane " + std::to_string(lane) + ", which takes no part in it";
    lane = int(block.current_ % 32);
  }
  std::memcpy(result, block.threads_[block.first_lane() + std::size_t(lane)].given[turn], std::min(bytes, 16u));
}

unsigned BlockRun::vote(unsigned mask, unsigned line, bool mine) {
  BlockRun& block = *running;
  Thread& own = block.threads_[block.current_];
  const unsigned turn = own.turn++ % 2;
  own.given[turn][0] = mine;
  block.wait(Status::at_warp, mask, line);
  unsigned votes = 0;
  for (std::size_t lane = 0; lane < 32; ++lane)
    if (block.takes_part(mask, lane))
      votes |= unsigned(block.threads_[block.first_lane() + lane].given[turn][0]) << lane;
  return votes;
}

}  // namespace emulation
