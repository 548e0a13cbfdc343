/// A call in a process of its own, which may crash or hang.
#pragma once
#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/// What `call` returned in a copy of this process, or what became of it: the text of an exception, a signal. It gets so
/// many seconds of processor time, and ten times as much by the clock.
template <class Call> std::string in_child(unsigned seconds, Call call) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) return "no pipe";
  std::fflush(nullptr);  // else the copy may print it too
  const pid_t child = fork();
  if (child == 0) {
    for (const int fatal : {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV}) signal(fatal, SIG_DFL);  // Catch2 reports them
    const rlimit limit{seconds, seconds + 1};
    setrlimit(RLIMIT_CPU, &limit);
    alarm(10 * seconds);
    std::string text;
    try {
      text = call();
    } catch (const std::exception& e) { text = e.what(); }
    const bool written = write(ends[1], text.data(), text.size()) == ssize_t(text.size());
    _exit(written ? 0 : 1);
  }
  close(ends[1]);
  std::string text;
  std::array<char, 4096> piece{};
  for (ssize_t n = 0; (n = read(ends[0], piece.data(), piece.size())) > 0;) text.append(piece.data(), std::size_t(n));
  close(ends[0]);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return "no process";
  if (WIFSIGNALED(status)) {
    const int by = WTERMSIG(status);
    return by == SIGXCPU || by == SIGALRM ? "it takes too long" : "it ends by signal " + std::to_string(by);
  }
  return WEXITSTATUS(status) == 0 ? text : "its answer is lost";
}
