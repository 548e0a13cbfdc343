/// The threads of a block of a kernel, one after another.
///
/// A fiber runs threads until one of them waits (at a barrier, or for the lanes of its warp); that thread keeps the
/// fiber, and the next threads run on another one. A kernel without barriers needs one fiber in all. When no thread can
/// run, the barriers that everyone has reached open; if there is none, the kernel would hang.
#pragma once
#include "machine.hpp"
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace emulation {

struct Fiber;

class BlockRun {
 public:
  BlockRun(emulated::Machine& machine, std::function<void()> thread);

  /// Runs the block that the machine names; what is wrong with the kernel, or nothing.
  std::string run();

  /// For the fibers: runs threads that are new.
  void work();

 private:
  enum class Status : unsigned char { ready, at_block, at_warp, finished };
  struct Thread {
    Status status = Status::ready;
    unsigned line = 0, mask = 0;  // of what it waits for
    unsigned turn = 0;            // of its exchanges, which use two places in turn
    Fiber* fiber = nullptr;
    alignas(16) unsigned char given[2][16] = {};
  };

  static void wait_for_block(unsigned line);
  static void wait_for_warp(unsigned mask, unsigned line);
  static void exchange(unsigned mask, unsigned line, const void* mine, void* result, unsigned bytes, int lane);
  static unsigned vote(unsigned mask, unsigned line, bool mine);
  void wait(Status how, unsigned mask, unsigned line);
  std::size_t first_lane() const { return current_ / 32 * 32; }
  bool takes_part(unsigned mask, std::size_t lane) const {
    return mask >> lane & 1 && first_lane() + lane < threads_.size();
  }
  void start(std::size_t number);
  void schedule();
  bool open_barriers();
  bool open_block();
  bool open_warp(std::size_t first);

  emulated::Machine& machine_;
  std::function<void()> thread_;
  std::vector<Thread> threads_;
  std::size_t next_ = 0, current_ = 0, finished_ = 0;
  std::string wrong_;
};

}  // namespace emulation
