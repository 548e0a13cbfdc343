/// Shares of work: every number is done once, each part by one thread, and nobody waits for one that is held up.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <lamina/threads/share.hpp>
#include <thread>
#include <vector>

using namespace lamina;
using threads::Work;

TEST_CASE("share: every number is done once, by any number of threads, whatever the grain") {
  for (const int n : {1, 2, 3, 8}) {
    set_num_threads(n);
    for (const std::int64_t count : {0, 1, 2, 5, 64, 1000})
      for (const std::int64_t grain : {1, 3, 64, 5000}) {
        CAPTURE(n, count, grain);
        std::vector<int> done(std::size_t(count) + 1);  // without locks: a number done by two at once is a data race
        threads::share(n, count, grain, [&](int, Work& work) {
          for (const std::int64_t i : work) ++done[std::size_t(i)];
        });
        std::vector<int> once(std::size_t(count) + 1, 1);
        once.back() = 0;
        CHECK(done == once);
      }
  }
}

TEST_CASE("share: parts are told apart, so that each may have memory of its own") {
  set_num_threads(4);
  std::vector<long long> sums(4);
  for (int round = 0; round < 200; ++round)
    threads::share(4, 100, 1, [&](int part, Work& work) {
      for (const std::int64_t i : work) sums.at(std::size_t(part)) += i;
    });
  CHECK(sums[0] + sums[1] + sums[2] + sums[3] == 200 * 4950);
}

TEST_CASE("share: one thread gets the numbers in order") {
  set_num_threads(1);
  std::vector<std::int64_t> seen;
  threads::share(1, 5, 2, [&](int part, Work& work) {
    CHECK(part == 0);
    for (const std::int64_t i : work) seen.push_back(i);
  });
  CHECK(seen == std::vector<std::int64_t>{0, 1, 2, 3, 4});
}

TEST_CASE("share: what is left of a part that is held up is done by another") {
  set_num_threads(2);
  int done[2] = {};
  threads::share(2, 100, 1, [&](int part, Work& work) {
    for ([[maybe_unused]] const std::int64_t i : work) {
      if (done[part]++ == 0 && part == 1) std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  });
  CHECK(done[0] + done[1] == 100);
  CHECK(done[0] > 50);  // its own and some of the other's
}

TEST_CASE("share: a call inside a part runs on that part's thread") {
  set_num_threads(2);
  int inner[2] = {};
  threads::share(2, 2, 1, [&](int, Work& outer) {
    for (const std::int64_t i : outer)
      threads::share(2, 10, 1, [&](int, Work& work) {
        for ([[maybe_unused]] const std::int64_t j : work) ++inner[i];
      });
  });
  CHECK(inner[0] == 10);
  CHECK(inner[1] == 10);
}
