/// Calls in processes of their own, which may crash or hang.
#pragma once
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <deque>
#include <exception>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

/// A copy of this process that makes a call. It gets so many seconds of processor time, and ten times as much by the
/// clock.
class Child {
  pid_t process_ = -1;
  int answer_ = -1;

 public:
  template <class Call> Child(unsigned seconds, Call call) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) return;
    std::fflush(nullptr);  // else the copy may print it too
    process_ = fork();
    if (process_ == 0) {
      for (const int fatal : {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV}) signal(fatal, SIG_DFL);  // Catch2 reports them
      const rlimit limit{seconds, seconds + 1};
      setrlimit(RLIMIT_CPU, &limit);
      alarm(10 * seconds);
      std::string text;
      try {
        text = call();
      } catch (const std::exception& e) { text = e.what(); } catch (...) {
        text = "it throws something else";
      }
      const bool written = write(ends[1], text.data(), text.size()) == ssize_t(text.size());
      _exit(written ? 0 : 1);
    }
    close(ends[1]);
    answer_ = ends[0];
  }

  /// Waits for what the call returned, or what became of it: the text of an exception, a signal.
  std::string answer() const {
    std::string text;
    std::array<char, 4096> piece{};
    for (ssize_t n = 0; (n = read(answer_, piece.data(), piece.size())) > 0;) text.append(piece.data(), std::size_t(n));
    close(answer_);
    int status = 0;
    if (process_ < 0 || waitpid(process_, &status, 0) != process_) return "no process";
    if (WIFSIGNALED(status)) {
      const int by = WTERMSIG(status);
      return by == SIGXCPU || by == SIGALRM ? "it takes too long" : "it ends by signal " + std::to_string(by);
    }
    return WEXITSTATUS(status) == 0 ? text : "its answer is lost";
  }
};

/// call(job) for each job, in as many processes at a time as there are processors; the answers in their order.
template <class Job, class Call>
std::vector<std::string> in_children(unsigned seconds, const std::vector<Job>& jobs, Call call) {
  const std::size_t at_once = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::string> answers;
  std::deque<Child> running;
  const auto collect = [&] {
    answers.push_back(running.front().answer());
    running.pop_front();
  };
  for (const Job& job : jobs) {
    if (running.size() == at_once) collect();
    running.emplace_back(seconds, [&] { return call(job); });
  }
  while (!running.empty()) collect();
  return answers;
}
