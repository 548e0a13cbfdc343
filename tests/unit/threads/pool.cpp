/// Runs on the shared threads: every part is called once, whoever calls, from wherever, with any number of threads.
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdlib>
#include <lamina/threads/pool.hpp>
#include <limits>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace lamina;

namespace {
/// How often each part was called, written without locks: a part called by two threads at once is a data race.
std::vector<int> calls(int parts) {
  std::vector<int> count(std::size_t(parts) + 1);  // one more, for what must not be called
  threads::run(parts, [&](int part) { ++count[std::size_t(part)]; });
  return count;
}
std::vector<int> once(int parts) {
  std::vector<int> count(std::size_t(parts) + 1, 1);
  count.back() = 0;
  return count;
}

/// Runs when the program ends, after the pool has ended, since this was constructed before its first run.
struct AtExit {
  ~AtExit() {
    if (calls(5) != once(5)) std::abort();
  }
} at_exit;
}  // namespace

TEST_CASE("threads: every part is called once, with any number of threads") {
  for (const int n : {1, 2, 3, 4, 7, 2}) {
    set_num_threads(n);
    CHECK(num_threads() == n);
    for (const int parts : {1, 2, 3, 4, 5, 7, 8, 16, 61}) CHECK(calls(parts) == once(parts));
  }
}

TEST_CASE("threads: no parts, no calls") {
  set_num_threads(2);
  threads::run(0, [](int) { FAIL("called"); });
  threads::run(-3, [](int) { FAIL("called"); });
}

TEST_CASE("threads: part 0 runs on the calling thread, the parts of a thread in order") {
  set_num_threads(3);
  std::vector<std::thread::id> thread(9);
  std::vector<int> order[3];
  threads::run(9, [&](int part) {
    thread[std::size_t(part)] = std::this_thread::get_id();
    order[part % 3].push_back(part);
  });
  CHECK(thread[0] == std::this_thread::get_id());
  for (std::size_t part = 0; part < 9; ++part) CHECK(thread[part] == thread[part % 3]);
  CHECK(std::set(thread.begin(), thread.end()).size() == 3);
  for (int t = 0; t < 3; ++t) CHECK(order[t] == std::vector{t, t + 3, t + 6});
}

TEST_CASE("threads: parts see what was written before the run, and the caller what they wrote") {
  set_num_threads(3);
  int input = 0, output[3]{};
  for (int i = 1; i <= 20'000; ++i) {
    input = i;
    threads::run(3, [&](int part) { output[part] += input + part; });
    REQUIRE((output[0] == input && output[1] == input + 1 && output[2] == input + 2));
    for (int& value : output) value = 0;
  }
}

TEST_CASE("threads: any callable that takes a number") {
  set_num_threads(2);
  static std::atomic<int> sum;
  sum = 0;
  struct Adds {
    void operator()(int part) const { sum += part; }
  };
  const Adds constant;
  threads::run(4, constant);
  threads::run(4, Adds{});
  threads::run(1, constant);
  void (*function)(int) = [](int part) { sum += part; };
  threads::run(4, function);
  threads::run(4, *function);
  auto changing = [total = 0](int part) mutable { total = part, sum += total; };
  threads::run(1, changing);
  CHECK(sum == 4 * 6);
}

TEST_CASE("threads: a run inside a part is done by the part's thread") {
  set_num_threads(3);
  for (int repeat = 0; repeat < 200; ++repeat) {
    std::vector<std::vector<int>> count(6, std::vector<int>(5));
    std::atomic<int> strangers{0};
    threads::run(6, [&](int outer) {
      const auto thread = std::this_thread::get_id();
      threads::run(5, [&](int inner) {
        strangers += std::this_thread::get_id() != thread;
        ++count[std::size_t(outer)][std::size_t(inner)];
      });
    });
    REQUIRE(strangers == 0);
    REQUIRE(count == std::vector(6, std::vector<int>(5, 1)));
  }
}

TEST_CASE("threads: two threads of the user may run at once") {
  set_num_threads(2);
  std::atomic<int> wrong{0};
  const auto user = [&] {
    for (int i = 0; i < 5'000; ++i) wrong += calls(2 + i % 5) != once(2 + i % 5);
  };
  std::thread other(user);
  user();
  other.join();
  CHECK(wrong == 0);
}

TEST_CASE("threads: sleepers are woken") {
  set_num_threads(2);
  for (int i = 0; i < 50; ++i) {
    std::this_thread::sleep_for(std::chrono::microseconds(400));
    REQUIRE(calls(2) == once(2));
    // the caller sleeps too, until the other part has ended
    bool done = false;
    threads::run(2, [&](int part) {
      if (part == 1) std::this_thread::sleep_for(std::chrono::microseconds(400)), done = true;
    });
    REQUIRE(done);
  }
}

TEST_CASE("threads: the caller gets the exception of the lowest part, after all parts") {
  for (const int n : {1, 2, 3}) {
    set_num_threads(n);
    for (int lowest = 0; lowest < 5; ++lowest) {
      std::vector<int> count(8);
      std::string caught;
      try {
        threads::run(8, [&](int part) {
          ++count[std::size_t(part)];
          if (part >= lowest) throw std::runtime_error("part " + std::to_string(part));
        });
      } catch (const std::runtime_error& e) { caught = e.what(); }
      CHECK(caught == "part " + std::to_string(lowest));
      CHECK(count == std::vector<int>(8, 1));
      CHECK(calls(8) == once(8));  // and the next run knows nothing of it
    }
    CHECK_THROWS_AS(threads::run(1, [](int) { throw 1; }), int);
  }
}

TEST_CASE("threads: an exception inside an inner run passes through both") {
  set_num_threads(2);
  CHECK_THROWS_AS(threads::run(4,
                               [](int outer) {
                                 threads::run(2, [outer](int inner) {
                                   if (outer == 3 && inner == 1) throw 'x';
                                 });
                               }),
                  char);
  CHECK(calls(4) == once(4));
}

TEST_CASE("threads: set_num_threads takes 1 and more") {
  set_num_threads(2);
  for (const int n : {0, -1, std::numeric_limits<int>::min()}) {
    std::string text;
    try {
      set_num_threads(n);
    } catch (const parameter_error& e) { text = e.what(); }
    CHECK(text == "set_num_threads(" + std::to_string(n) + "): the number of threads is 1 or more");
  }
  CHECK(num_threads() == 2);
}

TEST_CASE("threads: the number of threads may change while others run") {
  std::atomic<int> wrong{0};
  std::atomic<bool> stop{false};
  std::thread user([&] {
    for (int i = 0; !stop; ++i) wrong += calls(2 + i % 6) != once(2 + i % 6);
  });
  for (int i = 0; i < 300; ++i) {
    set_num_threads(1 + i * 7 % 5);
    wrong += calls(4) != once(4);
  }
  stop = true;
  user.join();
  CHECK(wrong == 0);
}

TEST_CASE("threads: the number of threads may change inside a part") {
  set_num_threads(3);
  threads::run(6, [](int part) { set_num_threads(1 + part % 3); });
  set_num_threads(2);
  CHECK(num_threads() == 2);
  CHECK(calls(6) == once(6));
}

TEST_CASE("threads: parts compute with the caller's rounding and treatment of subnormal numbers") {
#if defined(__SSE__)
  set_num_threads(2);
  const auto products = [] {
    std::vector<float> product(4);
    threads::run(4, [&](int part) {
      volatile float tiny = 1e-30f;
      product[std::size_t(part)] = tiny * 1e-10f;  // subnormal
    });
    return product;
  };
  CHECK(products() == std::vector<float>(4, 1e-40f));
  const unsigned before = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(before | 0x8000u);  // flush to zero
  const auto flushed = products();
  __builtin_ia32_ldmxcsr(before);
  CHECK(flushed == std::vector<float>(4, 0.0f));
  CHECK(products() == std::vector<float>(4, 1e-40f));
#else
  SKIP("this test knows how to flush subnormal numbers on x86 only");
#endif
}
