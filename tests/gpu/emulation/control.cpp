/// How calls begin, how misuse is reported, and what tests may ask: emulation.hpp.
#include "state.hpp"
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>
#include <utility>

namespace emulation {
namespace {

// Without destructors: objects of a thread call the libraries when it ends.
thread_local const char* current_call = nullptr;
thread_local cudaError_t last_error = cudaSuccess;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

/// Runs after every destructor of the program.
[[gnu::destructor]] void report_at_exit() {
  const auto left = leaks();
  for (const auto& leak : left) std::fprintf(stderr, "emulation: left at exit: %s\n", leak.c_str());
  const auto unread = faults();
  if (!unread.empty()) std::fprintf(stderr, "emulation: %zu faults that no test read\n", unread.size());
  if (!unread.empty() || (!left.empty() && variable("LAMINA_EMULATION_LEAKS") == "error")) _exit(70);
}

}  // namespace

/// Never destroyed: destructors of the program still call the libraries.
State& state() {
  static State* const instance = [] {
    auto* made = new State;
    const std::string count = variable("LAMINA_EMULATED_DEVICES");
    if (!count.empty()) made->device_count = std::clamp(std::atoi(count.c_str()), 0, 8);
    made->graph_record = variable("LAMINA_GRAPH_RECORD");
    made->kernel_record = variable("LAMINA_KERNEL_RECORD");
    return made;
  }();
  return *instance;
}

Call::Call(const char* name) : lock_(state().mutex), outer_(std::exchange(current_call, name)) {
  ++state().calls[name];
  auto& injections = state().injections;
  for (auto it = injections.begin(); it != injections.end(); ++it) {
    if (it->call != name || it->skip-- > 0) continue;
    injected = it->code;
    injections.erase(it);
    break;
  }
}
Call::~Call() { current_call = outer_; }

void fault(const std::string& text) {
  const std::string line = current_call ? std::string(current_call) + ": " + text : text;
  std::fprintf(stderr, "emulation: %s\n", line.c_str());
  state().faults.push_back(line);
}

cudaError_t misuse(cudaError_t error, const std::string& why) {
  fault(why + " (" + cudaGetErrorName(error) + ")");
  return error;
}

cudaError_t remember(cudaError_t error) {
  if (error != cudaSuccess && error != cudaErrorNotReady) last_error = error;
  return error;
}

std::vector<std::string> faults() {
  std::lock_guard lock(state().mutex);
  return std::exchange(state().faults, {});
}

std::vector<std::string> leaks() {
  std::lock_guard lock(state().mutex);
  std::vector<std::string> left;
  for (std::size_t device = 0; device < state().devices.size(); ++device)
    for (const auto& [at, block] : state().devices[device].blocks)
      if (!block.freed)
        left.push_back("a block of " + std::to_string(block.size) + " bytes on device " + std::to_string(device));
  for (const auto& [at, bytes] : state().pinned) left.push_back("pinned memory of " + std::to_string(bytes) + " bytes");
  for (const auto& [at, stream] : state().streams)
    left.push_back("a stream of device " + std::to_string(stream->device));
  for (const auto& [at, event] : state().events) left.push_back("an event of device " + std::to_string(event.device));
  for (const auto& [at, what] : state().others) left.push_back(what);
  return left;
}

void set_device_count(int count) {
  std::lock_guard lock(state().mutex);
  state().device_count = std::clamp(count, 0, 8);
}

void set_memory_limit(int device, std::size_t bytes) {
  std::lock_guard lock(state().mutex);
  state().devices.at(std::size_t(device)).limit = bytes;
}

std::size_t memory_used(int device) {
  std::lock_guard lock(state().mutex);
  return state().devices.at(std::size_t(device)).used;
}

void set_profile(int device, const std::string& json) {
  std::lock_guard lock(state().mutex);
  state().devices.at(std::size_t(device)).json = json;
}

void fail_next(const std::string& call, int code, int skip) {
  std::lock_guard lock(state().mutex);
  state().injections.push_back({call, code, skip});
}

long calls(const std::string& name) {
  std::lock_guard lock(state().mutex);
  const auto found = state().calls.find(name);
  return found == state().calls.end() ? 0 : found->second;
}

void reset_device(int device) {
  std::lock_guard lock(state().mutex);
  forget_memory(device);
  for (auto& [handle, stream] : state().streams) {
    if (stream->device != device) continue;
    stream->done += long(stream->queue.size());
    stream->queue.clear();
  }
  state().devices.at(std::size_t(device)).broken = cudaSuccess;
}

void record_graphs(const std::string& file) {
  std::lock_guard lock(state().mutex);
  state().graph_record = file;
}

void record_kernels(const std::string& folder) {
  std::lock_guard lock(state().mutex);
  state().kernel_record = folder;
}

}  // namespace emulation

extern "C" {
cudaError_t cudaGetLastError() { return std::exchange(emulation::last_error, cudaSuccess); }
cudaError_t cudaPeekAtLastError() { return emulation::last_error; }
}
