/// A child of a process that has run kernels runs them too.
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <lamina/threads/pool.hpp>
#include <set>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace lamina;

// The thread sanitizer otherwise ends a child that starts threads.
extern "C" const char* __tsan_default_options();
const char* __tsan_default_options() { return "die_after_fork=0"; }

namespace {
bool all_called(int parts) {
  std::atomic<int> called{0};
  threads::run(parts, [&](int) { ++called; });
  return called == parts;
}

/// Whether parts run on threads of their own.
bool shared(int parts) {
  std::vector<std::thread::id> ids(static_cast<std::size_t>(parts));
  threads::run(parts, [&](int part) { ids[std::size_t(part)] = std::this_thread::get_id(); });
  return std::set(ids.begin(), ids.end()).size() == ids.size();
}

/// How the child ends. It has 20 seconds.
template <class F> int status_of_child(F&& f) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    _exit(f() ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}
}  // namespace

TEST_CASE("threads: a forked child has threads of its own") {
  set_num_threads(3);
  REQUIRE(all_called(3));
  CHECK(status_of_child([] { return shared(3) && all_called(10); }) == 0);
  CHECK(status_of_child([] { return set_num_threads(2), all_called(5); }) == 0);
  CHECK(status_of_child([] { return status_of_child([] { return all_called(4); }) == 0 && all_called(4); }) == 0);
  CHECK(all_called(3));
}

TEST_CASE("threads: a child may be forked while another thread runs") {
  set_num_threads(3);
  std::atomic<bool> stop{false};
  std::thread user([&] {
    while (!stop) all_called(3);
  });
  for (int i = 0; i < 20; ++i) CHECK(status_of_child([] { return shared(3) && all_called(4); }) == 0);
  stop = true;
  user.join();
}

TEST_CASE("threads: a child forked inside a part may end") {
  set_num_threads(2);
  for (const int forking : {0, 1}) {
    int status = -1;
    threads::run(2, [&](int part) {
      if (part == forking) status = status_of_child([] { return all_called(3); });
    });
    CHECK(status == 0);
  }
  CHECK(all_called(2));
}
