/// cudart: capture of streams, and graphs of what was captured.
///
/// Captured work is kept in the order of its calls, an order in which it may run, and runs once for every launch.
#include "state.hpp"
#include <algorithm>

namespace emulation {
namespace {

struct Graph {
  std::vector<Work> work;
};

template <class Handle> Graph* graph_of(Handle handle, const char* what) {
  const auto found = state().others.find(handle);
  if (found != state().others.end() && found->second == what) return reinterpret_cast<Graph*>(handle);
  fault(std::string("not ") + what + "; destroyed?");
  return nullptr;
}

template <class Handle> cudaError_t destroy(Handle handle, const char* what) {
  Graph* graph = graph_of(handle, what);
  if (!graph) return cudaErrorInvalidValue;
  state().others.erase(handle);
  delete graph;
  return cudaSuccess;
}

constexpr const char *graph_name = "a captured graph", *executable_name = "an executable graph";

}  // namespace

bool capture_forbids() {
  bool forbidden = false;
  for (const auto& capture : state().captures) {
    const bool here = capture->thread == std::this_thread::get_id();
    if (capture->mode == cudaStreamCaptureModeGlobal || (capture->mode == cudaStreamCaptureModeThreadLocal && here))
      forbidden = capture->invalid = true;
  }
  return forbidden;
}

cudaError_t join_capture(const std::shared_ptr<Stream>& stream, const Event& event) {
  if (!event.capture || (stream->capture && stream->capture != event.capture)) {
    stream->capture->invalid = true;
    return misuse(cudaErrorStreamCaptureIsolation, "the capture waits for work outside of it");
  }
  if (event.capture->invalid) return cudaErrorStreamCaptureInvalidated;
  if (stream->capture) {
    if (stream.get() == event.capture->origin) event.capture->branches.erase(event.stream.get());
    return cudaSuccess;
  }
  if (!state().captures.count(event.capture))
    return misuse(cudaErrorCapturedEvent, "the event was recorded in a capture that has ended");
  if (!stream->queue.empty()) run(*stream, stream->end());
  stream->capture = event.capture;
  event.capture->branches.insert(stream.get());
  return cudaSuccess;
}

}  // namespace emulation

using namespace emulation;

extern "C" {

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode) {
  return runtime_call("cudaStreamBeginCapture", [&] {
    const auto stream = stream_of(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    if (stream->capture) return misuse(cudaErrorIllegalState, "the stream is being captured");
    stream->capture = std::make_shared<Capture>();
    stream->capture->origin = stream.get();
    stream->capture->mode = mode;
    stream->capture->thread = std::this_thread::get_id();
    state().captures.insert(stream->capture);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* result) {
  return runtime_call("cudaStreamEndCapture", [&] {
    *result = nullptr;
    const auto stream = stream_of(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    const auto capture = stream->capture;
    if (!capture) return misuse(cudaErrorIllegalState, "the stream is not being captured");
    if (capture->origin != stream.get())
      return misuse(cudaErrorStreamCaptureUnmatched, "the capture began on another stream");
    if (capture->mode != cudaStreamCaptureModeRelaxed && capture->thread != std::this_thread::get_id())
      return misuse(cudaErrorStreamCaptureWrongThread, "the capture began in another thread");
    for (auto& [other_handle, other] : state().streams)
      if (other->capture == capture) other->capture.reset();
    state().captures.erase(capture);
    if (capture->invalid) return cudaErrorStreamCaptureInvalidated;
    if (!capture->branches.empty())
      return misuse(cudaErrorStreamCaptureUnjoined, "the capture does not wait for a stream in it");
    auto* graph = new Graph{capture->work};
    *result = reinterpret_cast<cudaGraph_t>(graph);
    state().others[graph] = graph_name;
    return cudaSuccess;
  });
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status) {
  return runtime_call("cudaStreamIsCapturing", [&] {
    const auto stream = stream_of(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    *status = !stream->capture           ? cudaStreamCaptureStatusNone
              : stream->capture->invalid ? cudaStreamCaptureStatusInvalidated
                                         : cudaStreamCaptureStatusActive;
    return cudaSuccess;
  });
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* result, cudaGraph_t handle, unsigned long long) {
  return runtime_call("cudaGraphInstantiate", [&] {
    const Graph* graph = graph_of(handle, graph_name);
    if (!graph) return cudaErrorInvalidValue;
    auto* executable = new Graph(*graph);
    *result = reinterpret_cast<cudaGraphExec_t>(executable);
    state().others[executable] = executable_name;
    return cudaSuccess;
  });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t handle, cudaStream_t stream) {
  return runtime_call("cudaGraphLaunch", [&] {
    const Graph* graph = graph_of(handle, executable_name);
    if (!graph) return cudaErrorInvalidValue;
    Work launch{"graph", {}, {}};
    for (const Work& work : graph->work)
      launch.accesses.insert(launch.accesses.end(), work.accesses.begin(), work.accesses.end());
    launch.run = [all = graph->work] {
      for (const Work& work : all) work.run();
    };
    return enqueue(stream, std::move(launch));
  });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return runtime_call("cudaGraphDestroy", [&] { return destroy(graph, graph_name); });
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) {
  return runtime_call("cudaGraphExecDestroy", [&] { return destroy(graph, executable_name); });
}

cudaError_t cudaGraphGetNodes(cudaGraph_t handle, cudaGraphNode_t* nodes, std::size_t* count) {
  return runtime_call("cudaGraphGetNodes", [&] {
    const Graph* graph = graph_of(handle, graph_name);
    if (!graph) return cudaErrorInvalidValue;
    if (nodes) return misuse(cudaErrorNotSupported, "only the number of nodes is emulated");
    *count = graph->work.size();
    return cudaSuccess;
  });
}

}  // extern "C"
