/// cudart: streams and events.
///
/// Streams run only when the host waits. A second check finds missing fences whatever the order in which streams happen
/// to run: every stream knows how far others had come when its work was enqueued (by events, or because the host
/// waited), and an access to memory that another stream may still be using is a fault.
#include "state.hpp"
#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace emulation {
namespace {

bool known(const Stream& stream, const Touch& touch) {
  const auto reached = [&](const Clock& clock) {
    const auto found = clock.find(touch.stream);
    return found != clock.end() && found->second >= touch.at;
  };
  return touch.stream == stream.number || reached(stream.clock) || reached(state().synchronized);
}

/// Faults of an access that may run beside earlier ones; then the access is one of those.
void note_touch(Stream& stream, const Access& access, const std::string& name) {
  Block* block = block_of(access.at);
  if (!block) return;
  const auto begin = std::size_t(static_cast<const char*>(access.at) - block->at), end = begin + access.bytes;
  auto& touches = block->touches;
  for (auto& touch : touches) {
    const bool conflict = touch.begin < end && begin < touch.end && (touch.writes || access.writes);
    if (!conflict || known(stream, touch)) continue;
    fault("missing fence: " + name + " on one stream may run beside " + touch.name + " on another, on the same " +
          std::to_string(std::min(end, touch.end) - std::max(begin, touch.begin)) + " bytes");
    touch.stream = stream.number;  // one report is enough
  }
  std::erase_if(touches, [&](const Touch& touch) {
    const bool covered = touch.begin >= begin && touch.end <= end;
    return covered && (access.writes || (touch.stream == stream.number && !touch.writes));
  });
  touches.push_back({begin, end, stream.number, stream.end() + 1, access.writes, name});
}

void synchronized_with(const Stream& stream) {
  merge(state().synchronized, stream.clock);
  merge(state().synchronized, {{stream.number, stream.end()}});
}

cudaError_t captured(Stream& stream, const char* what) {
  stream.capture->invalid = true;
  return misuse(cudaErrorStreamCaptureUnsupported, std::string(what) + " a stream that is being captured");
}

double now() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Event* event_of(cudaEvent_t handle) {
  const auto found = state().events.find(handle);
  if (found != state().events.end()) return &found->second;
  fault(handle ? "not an event; destroyed?" : "a null event");
  return nullptr;
}

cudaError_t broken_of(int device) { return state().devices[std::size_t(device)].broken; }

}  // namespace

void merge(Clock& into, const Clock& from) {
  for (const auto& [number, position] : from) into[number] = std::max(into[number], position);
}

std::shared_ptr<Stream> stream_of(cudaStream_t handle) {
  const auto found = state().streams.find(handle);
  if (found != state().streams.end()) return found->second;
  const bool is_default = !handle || handle == cudaStreamLegacy || handle == cudaStreamPerThread;
  fault(is_default ? "the NULL stream, which waits for everything, is not to be used" : "not a stream; destroyed?");
  return nullptr;
}

cudaError_t enqueue(cudaStream_t handle, Work work) {
  const auto stream = stream_of(handle);
  if (!stream) return cudaErrorInvalidResourceHandle;
  for (const Access& access : work.accesses) {
    if (const std::string wrong = wrong_with(access); !wrong.empty())
      return misuse(cudaErrorInvalidValue, work.name + ": " + wrong);
  }
  if (stream->capture) {
    stream->capture->work.push_back(std::move(work));
    return cudaSuccess;
  }
  for (const Access& access : work.accesses) note_touch(*stream, access, work.name);
  stream->queue.push_back(std::move(work));
  return cudaSuccess;
}

void run(Stream& stream, long position) {
  if (stream.done >= position) return;
  if (stream.running) return fault("streams wait for each other: a hang on a real machine");
  stream.running = true;
  while (stream.done < position && !stream.queue.empty()) {
    const Work work = std::move(stream.queue.front());
    stream.queue.pop_front();
    if (broken_of(stream.device) == cudaSuccess) work.run();
    ++stream.done;
  }
  stream.running = false;
}

void run_everything() {
  for (auto& [handle, stream] : state().streams) run(*stream, stream->end());
}

}  // namespace emulation

using namespace emulation;

extern "C" {

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* result, unsigned flags) {
  return runtime_call("cudaStreamCreateWithFlags", [&] {
    if (flags != cudaStreamDefault && flags != cudaStreamNonBlocking)
      return misuse(cudaErrorInvalidValue, "unknown flags");
    auto stream = std::make_shared<Stream>();
    stream->device = current_device();
    stream->number = ++state().stream_numbers;
    *result = reinterpret_cast<cudaStream_t>(stream.get());
    state().streams[stream.get()] = stream;
    return cudaSuccess;
  });
}

cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  return runtime_call("cudaStreamDestroy", [&] {
    const auto stream = stream_of(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    if (stream->capture) captured(*stream, "destroys");
    run(*stream, stream->end());
    synchronized_with(*stream);
    state().streams.erase(handle);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  return runtime_call("cudaStreamSynchronize", [&] {
    const auto stream = stream_of(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    if (stream->capture) return captured(*stream, "waits for");
    run(*stream, stream->end());
    synchronized_with(*stream);
    return broken_of(stream->device);
  });
}

/// Every question brings the stream one piece of work further, so that a loop of questions ends.
cudaError_t cudaStreamQuery(cudaStream_t handle) {
  return runtime_call("cudaStreamQuery", [&] {
    const auto stream = stream_of(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    if (stream->capture) return captured(*stream, "asks");
    if (!stream->queue.empty()) {
      run(*stream, stream->done + 1);
      return cudaErrorNotReady;
    }
    synchronized_with(*stream);
    return broken_of(stream->device);
  });
}

cudaError_t cudaDeviceSynchronize() {
  return runtime_call("cudaDeviceSynchronize", [&] {
    if (capture_forbids()) return misuse(cudaErrorStreamCaptureUnsupported, "not in a capture");
    for (auto& [handle, stream] : state().streams) {
      if (stream->device != current_device()) continue;
      run(*stream, stream->end());
      synchronized_with(*stream);
    }
    return broken_of(current_device());
  });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* result, unsigned flags) {
  return runtime_call("cudaEventCreateWithFlags", [&] {
    auto* handle = new char;  // an address that is nobody else's
    *result = reinterpret_cast<cudaEvent_t>(handle);
    Event event{};
    event.device = current_device();
    event.timed = (flags & cudaEventDisableTiming) == 0;
    state().events[handle] = event;
    return cudaSuccess;
  });
}
cudaError_t cudaEventCreate(cudaEvent_t* result) { return cudaEventCreateWithFlags(result, cudaEventDefault); }

cudaError_t cudaEventDestroy(cudaEvent_t handle) {
  return runtime_call("cudaEventDestroy", [&] {
    if (!event_of(handle)) return cudaErrorInvalidResourceHandle;
    state().events.erase(handle);
    delete reinterpret_cast<char*>(handle);
    return cudaSuccess;
  });
}

cudaError_t cudaEventRecord(cudaEvent_t handle, cudaStream_t stream_handle) {
  return runtime_call("cudaEventRecord", [&] {
    Event* event = event_of(handle);
    const auto stream = event ? stream_of(stream_handle) : nullptr;
    if (!stream) return cudaErrorInvalidResourceHandle;
    if (event->device != stream->device) return misuse(cudaErrorInvalidResourceHandle, "an event of another device");
    event->stream = stream;
    event->capture = stream->capture;
    if (stream->capture) return cudaSuccess;
    event->milliseconds = std::make_shared<double>(-1);
    const cudaError_t error = enqueue(stream_handle, {"event", {}, [time = event->milliseconds] { *time = now(); }});
    event->at = stream->end();
    event->clock = stream->clock;
    event->clock[stream->number] = event->at;
    return error;
  });
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream_handle, cudaEvent_t handle, unsigned) {
  return runtime_call("cudaStreamWaitEvent", [&] {
    const Event* event = event_of(handle);
    const auto stream = event ? stream_of(stream_handle) : nullptr;
    if (!stream) return cudaErrorInvalidResourceHandle;
    if (event->capture || stream->capture) return join_capture(stream, *event);
    if (!event->stream)
      return misuse(cudaErrorInvalidResourceHandle, "the event was never recorded: this waits for nothing");
    merge(stream->clock, event->clock);
    return enqueue(stream_handle, {"wait", {}, [on = event->stream, at = event->at] { run(*on, at); }});
  });
}

cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  return runtime_call("cudaEventSynchronize", [&] {
    const Event* event = event_of(handle);
    if (!event) return cudaErrorInvalidResourceHandle;
    if (event->capture) return misuse(cudaErrorCapturedEvent, "the event was recorded in a capture");
    if (!event->stream)
      return misuse(cudaErrorInvalidResourceHandle, "the event was never recorded: this waits for nothing");
    run(*event->stream, event->at);
    merge(state().synchronized, event->clock);
    return broken_of(event->device);
  });
}

cudaError_t cudaEventQuery(cudaEvent_t handle) {
  return runtime_call("cudaEventQuery", [&] {
    const Event* event = event_of(handle);
    if (!event) return cudaErrorInvalidResourceHandle;
    if (event->capture) return misuse(cudaErrorCapturedEvent, "the event was recorded in a capture");
    if (event->stream && event->stream->done < event->at) {
      run(*event->stream, event->stream->done + 1);
      return cudaErrorNotReady;
    }
    merge(state().synchronized, event->clock);
    return broken_of(event->device);
  });
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t first, cudaEvent_t second) {
  return runtime_call("cudaEventElapsedTime", [&] {
    const Event *begin = event_of(first), *end = begin ? event_of(second) : nullptr;
    if (!end) return cudaErrorInvalidResourceHandle;
    if (!begin->timed || !end->timed || !begin->milliseconds || !end->milliseconds)
      return misuse(cudaErrorInvalidResourceHandle, "an event that is not timed, or was never recorded");
    if (*begin->milliseconds < 0 || *end->milliseconds < 0) return cudaErrorNotReady;
    *milliseconds = float(*end->milliseconds - *begin->milliseconds);
    return cudaSuccess;
  });
}

}  // extern "C"
