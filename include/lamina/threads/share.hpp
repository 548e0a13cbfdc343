/// Work in many pieces of equal size, shared out among threads.
#pragma once
#include "../core/callback.hpp"
#include "pool.hpp"
#include <iterator>

namespace lamina::threads {

namespace detail {
/// The numbers that parts have still to do, a range each: a part takes from the front of its own, others from the back.
class Ranges {
  struct alignas(64) Range {
    std::atomic<std::uint64_t> ends;  // the first number, and the one behind the last in the upper half
  };
  int parts;
  Range ranges[256];

  static std::uint64_t pack(std::uint64_t begin, std::uint64_t end) { return begin | end << 32; }
  static std::uint32_t begin_of(std::uint64_t ends) { return std::uint32_t(ends); }
  static std::uint32_t end_of(std::uint64_t ends) { return std::uint32_t(ends >> 32); }
  static std::uint32_t least(std::uint32_t a, std::uint32_t b) { return a < b ? a : b; }
  static std::uint32_t left(std::uint64_t ends) { return end_of(ends) - begin_of(ends); }

 public:
  struct Piece {
    std::int64_t begin = 0, end = 0;
  };

  static constexpr int most_parts = 256;

  Ranges(int n, std::int64_t count) : parts(n) {
    for (std::int64_t i = 0; i < n; ++i)
      ranges[i].ends.store(pack(std::uint64_t(count * i / n), std::uint64_t(count * (i + 1) / n)),
                           std::memory_order_relaxed);
  }

  /// Up to `grain` numbers of the part's own range.
  Piece take_own(int part, std::uint32_t grain) {
    std::atomic<std::uint64_t>& range = ranges[part].ends;
    for (std::uint64_t ends = range.load(std::memory_order_relaxed); left(ends) > 0;) {
      const std::uint32_t begin = begin_of(ends), end = begin + least(grain, left(ends));
      if (range.compare_exchange_weak(ends, pack(end, end_of(ends)), std::memory_order_relaxed)) return {begin, end};
    }
    return {};
  }
  /// Up to `grain` numbers of the range that has the most left.
  Piece take_other(std::uint32_t grain) {
    for (;;) {
      std::atomic<std::uint64_t>* range = nullptr;
      std::uint64_t ends = 0;
      for (int i = 0; i < parts; ++i)
        if (const std::uint64_t now = ranges[i].ends.load(std::memory_order_relaxed); left(now) > left(ends))
          range = &ranges[i].ends, ends = now;
      if (!range) return {};
      const std::uint32_t end = end_of(ends), begin = end - least(grain, left(ends));
      if (range->compare_exchange_strong(ends, pack(begin_of(ends), begin), std::memory_order_relaxed))
        return {begin, end};
    }
  }
};
}  // namespace detail

/// The numbers that one part of a share() gets: `for (const std::int64_t i : work)`.
class Work {
  detail::Ranges* ranges = nullptr;
  int part = 0;
  std::uint32_t grain = 1;
  detail::Ranges::Piece piece{};

  bool next() {
    if (++piece.begin < piece.end) return true;
    if (!ranges) return false;
    piece = ranges->take_own(part, grain);
    if (piece.begin == piece.end) piece = ranges->take_other(grain);
    return piece.begin < piece.end;
  }

 public:
  explicit Work(std::int64_t count) : piece{-1, count} {}
  Work(detail::Ranges& r, int number, std::uint32_t at_once) : ranges(&r), part(number), grain(at_once) {}

  class Iterator {
    Work* work;
    bool more;

   public:
    explicit Iterator(Work& w) : work(&w), more(w.next()) {}
    std::int64_t operator*() const { return work->piece.begin; }
    void operator++() { more = work->next(); }
    bool operator==(std::default_sentinel_t) const { return !more; }
  };
  Iterator begin() { return Iterator(*this); }
  std::default_sentinel_t end() const { return {}; }
};

/// Shares the numbers [0, count) out among threads: f(part, work) is called on up to `threads` threads and goes through
/// the numbers of `work`; every number is in one of them. Returns when all calls have ended. A part is called once, by
/// one thread; parts are 0, 1, ..., threads - 1 at most, so that each may have memory of its own. Each has an equal
/// share of the numbers, of which it takes `grain` at a time, and takes over some of another's at the end: a thread
/// that is held up holds the others up for no more than `grain` numbers. Numbers are below 2^32; of more than 256
/// threads, 256 are used.
[[gnu::noinline]] inline void share(int threads, std::int64_t count, std::int64_t grain,
                                    const lamina::detail::Callback<int, Work&>& f) {
  int parts = threads < detail::Ranges::most_parts ? threads : detail::Ranges::most_parts;
  if (count < parts) parts = int(count);
  if (parts <= 1) {
    Work all(count);
    f(0, all);
    return;
  }
  detail::Ranges ranges(parts, count);
  run(parts, [&](int part) {
    Work work(ranges, part, std::uint32_t(grain));
    f(part, work);
  });
}

}  // namespace lamina::threads
