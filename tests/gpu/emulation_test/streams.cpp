/// Streams, events and captures of emulated devices: work runs when the host waits, and missing fences are found.
#include "machine.hpp"
#include <cmath>
#include <thread>

using namespace emulation_test;

namespace {
cudaError_t copy(const Array<>& to, const Array<>& from, const Stream& stream) {
  return cudaMemcpyAsync(to.data, from.data, from.size * sizeof(float), cudaMemcpyDeviceToDevice, stream);
}
cudaGraphExec_t executable(cudaGraph_t graph) {
  cudaGraphExec_t made = nullptr;
  REQUIRE(cudaGraphInstantiate(&made, graph, 0) == cudaSuccess);
  return made;
}
}  // namespace

TEST_CASE("a stream that does not wait for another's result") {
  const Stream first, second;
  const Array<> x(first, std::vector<float>{1, 2}), y(second, 2);
  REQUIRE(copy(y, x, second) == cudaSuccess);
  CHECK_THAT(the_fault(), ContainsSubstring(
                              "missing fence: copy on one stream may run beside copy on another, on the same 8 bytes"));
  CHECK(std::isnan(y.values()[0]));
  first.wait();
}

TEST_CASE("a stream that waits for another's event") {
  const Stream first, second;
  const Event ready, read;
  const Array<> x(first, std::vector<float>{1, 2}), y(second, 2);
  REQUIRE(cudaEventRecord(ready, first) == cudaSuccess);
  REQUIRE(cudaStreamWaitEvent(second, ready, 0) == cudaSuccess);
  REQUIRE(copy(y, x, second) == cudaSuccess);
  CHECK(y.values() == std::vector<float>{1, 2});
  CHECK(emulation::faults().empty());
}

TEST_CASE("memory that is overwritten, or freed, while another stream may read it") {
  const Stream first, second;
  const Event ready;
  Array<> x(first, std::vector<float>{1, 2});
  const Array<> y(second, 2);
  REQUIRE(cudaEventRecord(ready, first) == cudaSuccess);
  REQUIRE(cudaStreamWaitEvent(second, ready, 0) == cudaSuccess);
  REQUIRE(copy(y, x, second) == cudaSuccess);
  SECTION("overwritten") {
    REQUIRE(cudaMemsetAsync(x.data, 0, 8, first) == cudaSuccess);
    CHECK_THAT(the_fault(), ContainsSubstring("missing fence: memset"));
  }
  SECTION("freed") {
    REQUIRE(cudaFreeAsync(std::exchange(x.data, nullptr), first) == cudaSuccess);
    CHECK_THAT(the_fault(), ContainsSubstring("missing fence: free"));
  }
  SECTION("after the host has waited") {
    second.wait();
    REQUIRE(cudaMemsetAsync(x.data, 0, 8, first) == cudaSuccess);
    CHECK(emulation::faults().empty());
  }
  second.wait();
  first.wait();
}

TEST_CASE("two streams may read the same memory") {
  const Stream first, second;
  const Array<> x(first, std::vector<float>{1, 2});
  first.wait();
  const Array<> y(first, 2), z(second, 2);
  REQUIRE(copy(y, x, first) == cudaSuccess);
  REQUIRE(copy(z, x, second) == cudaSuccess);
  CHECK(z.values() == std::vector<float>{1, 2});
  CHECK(emulation::faults().empty());
}

TEST_CASE("the NULL stream, and a stream that is destroyed") {
  const Stream stream;
  const Array<> x(stream, 1);
  CHECK(cudaMemsetAsync(x.data, 0, 4, nullptr) == cudaErrorInvalidResourceHandle);
  CHECK_THAT(the_fault(), ContainsSubstring("the NULL stream"));
  cudaStream_t gone = nullptr;
  REQUIRE(cudaStreamCreateWithFlags(&gone, cudaStreamNonBlocking) == cudaSuccess);
  REQUIRE(cudaStreamDestroy(gone) == cudaSuccess);
  CHECK(cudaStreamSynchronize(gone) == cudaErrorInvalidResourceHandle);
  CHECK_THAT(the_fault(), ContainsSubstring("not a stream; destroyed?"));
}

TEST_CASE("work for a stream of a device that is not the current one") {
  const Stream stream(1);
  const Array<> x(stream, 1);
  CHECK(cudaMemsetAsync(x.data, 0, 4, stream) == cudaErrorInvalidResourceHandle);
  CHECK_THAT(the_fault(), ContainsSubstring("a device that is not the current one"));
}

TEST_CASE("a wait for an event that was never recorded") {
  const Stream stream;
  const Event event;
  CHECK(cudaStreamWaitEvent(stream, event, 0) == cudaErrorInvalidResourceHandle);
  CHECK_THAT(the_fault(), ContainsSubstring("never recorded"));
}

TEST_CASE("questions end: each brings a stream further") {
  cudaGetLastError();
  const Stream stream;
  const Array<> x(stream, std::vector<float>{1});
  CHECK(cudaStreamQuery(stream) == cudaErrorNotReady);
  int questions = 1;
  for (; cudaStreamQuery(stream) == cudaErrorNotReady && questions < 100; ++questions) {}
  CHECK(questions < 100);
  CHECK(cudaGetLastError() == cudaSuccess);
}

TEST_CASE("the time between events") {
  const Stream stream;
  cudaEvent_t begin = nullptr, end = nullptr;
  REQUIRE(cudaEventCreate(&begin) == cudaSuccess);
  REQUIRE(cudaEventCreate(&end) == cudaSuccess);
  float milliseconds = -1;
  REQUIRE(cudaEventRecord(begin, stream) == cudaSuccess);
  REQUIRE(cudaEventRecord(end, stream) == cudaSuccess);
  CHECK(cudaEventElapsedTime(&milliseconds, begin, end) == cudaErrorNotReady);
  stream.wait();
  CHECK(cudaEventElapsedTime(&milliseconds, begin, end) == cudaSuccess);
  CHECK(milliseconds >= 0);
  const Event untimed;
  CHECK(cudaEventElapsedTime(&milliseconds, begin, untimed) == cudaErrorInvalidResourceHandle);
  CHECK_THAT(the_fault(), ContainsSubstring("not timed"));
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
}

TEST_CASE("captured work runs at each launch of its graph, not before") {
  const Stream stream;
  const Array<> x(stream, std::vector<float>{1, 2}), y(stream, 2);
  stream.wait();
  cudaGraph_t graph = nullptr;
  REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
  REQUIRE(copy(y, x, stream) == cudaSuccess);
  cudaStreamCaptureStatus status{};
  CHECK(cudaStreamIsCapturing(stream, &status) == cudaSuccess);
  CHECK(status == cudaStreamCaptureStatusActive);
  REQUIRE(cudaStreamEndCapture(stream, &graph) == cudaSuccess);
  CHECK(std::isnan(y.values()[0]));
  const cudaGraphExec_t made = executable(graph);
  REQUIRE(cudaGraphLaunch(made, stream) == cudaSuccess);
  CHECK(y.values() == std::vector<float>{1, 2});
  REQUIRE(cudaMemsetAsync(x.data, 0, 8, stream) == cudaSuccess);
  REQUIRE(cudaGraphLaunch(made, stream) == cudaSuccess);
  CHECK(y.values() == std::vector<float>{0, 0});
  CHECK(cudaGraphDestroy(graph) == cudaSuccess);
  CHECK(cudaGraphExecDestroy(made) == cudaSuccess);
  CHECK(cudaGraphExecDestroy(made) == cudaErrorInvalidValue);
  CHECK_THAT(the_fault(), ContainsSubstring("not an executable graph"));
}

TEST_CASE("a launch of a graph whose memory is freed") {
  const Stream stream;
  cudaGraph_t graph = nullptr;
  {
    const Array<> x(stream, 4);
    stream.wait();
    REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
    REQUIRE(cudaMemsetAsync(x.data, 0, 16, stream) == cudaSuccess);
    REQUIRE(cudaStreamEndCapture(stream, &graph) == cudaSuccess);
  }
  const cudaGraphExec_t made = executable(graph);
  CHECK(cudaGraphLaunch(made, stream) == cudaErrorInvalidValue);
  CHECK_THAT(the_fault(), ContainsSubstring("use after free"));
  cudaGraphDestroy(graph);
  cudaGraphExecDestroy(made);
}

TEST_CASE("calls that may not be made during a capture end it") {
  const Stream stream, other;
  const Array<> x(stream, 4);
  stream.wait();
  REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
  void* memory = nullptr;
  SECTION("a wait for the stream") { CHECK(cudaStreamSynchronize(stream) == cudaErrorStreamCaptureUnsupported); }
  SECTION("an allocation") { CHECK(cudaMalloc(&memory, 4) == cudaErrorStreamCaptureUnsupported); }
  SECTION("an allocation of the stream") {
    CHECK(cudaMallocAsync(&memory, 4, stream) == cudaErrorStreamCaptureUnsupported);
  }
  SECTION("pinned memory") { CHECK(cudaMallocHost(&memory, 4) == cudaErrorStreamCaptureUnsupported); }
  SECTION("a wait for the device") { CHECK(cudaDeviceSynchronize() == cudaErrorStreamCaptureUnsupported); }
  CHECK_THAT(the_fault(), ContainsSubstring("capture"));
  cudaGraph_t graph = nullptr;
  CHECK(cudaStreamEndCapture(stream, &graph) == cudaErrorStreamCaptureInvalidated);
  CHECK(graph == nullptr);
  cudaGetLastError();
}

TEST_CASE("a stream joins a capture by an event and has to be waited for") {
  const Stream first, second;
  const Event fork, join;
  const Array<> x(first, std::vector<float>{3}), y(first, 1);
  first.wait();
  cudaGraph_t graph = nullptr;
  REQUIRE(cudaStreamBeginCapture(first, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
  REQUIRE(cudaEventRecord(fork, first) == cudaSuccess);
  REQUIRE(cudaStreamWaitEvent(second, fork, 0) == cudaSuccess);
  REQUIRE(copy(y, x, second) == cudaSuccess);
  SECTION("joined") {
    REQUIRE(cudaEventRecord(join, second) == cudaSuccess);
    REQUIRE(cudaStreamWaitEvent(first, join, 0) == cudaSuccess);
    REQUIRE(cudaStreamEndCapture(first, &graph) == cudaSuccess);
    const cudaGraphExec_t made = executable(graph);
    REQUIRE(cudaGraphLaunch(made, first) == cudaSuccess);
    CHECK(y.values() == std::vector<float>{3});
    cudaGraphDestroy(graph);
    cudaGraphExecDestroy(made);
  }
  SECTION("not joined") {
    CHECK(cudaStreamEndCapture(first, &graph) == cudaErrorStreamCaptureUnjoined);
    CHECK_THAT(the_fault(), ContainsSubstring("does not wait for a stream"));
  }
  cudaGetLastError();
}

TEST_CASE("a capture that waits for work outside of it") {
  const Stream first, second;
  const Event outside;
  REQUIRE(cudaEventRecord(outside, second) == cudaSuccess);
  REQUIRE(cudaStreamBeginCapture(first, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
  CHECK(cudaStreamWaitEvent(first, outside, 0) == cudaErrorStreamCaptureIsolation);
  CHECK_THAT(the_fault(), ContainsSubstring("outside"));
  cudaGraph_t graph = nullptr;
  CHECK(cudaStreamEndCapture(first, &graph) == cudaErrorStreamCaptureInvalidated);
  cudaGetLastError();
}

TEST_CASE("a capture ends in the thread that began it") {
  const Stream stream;
  REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
  cudaGraph_t graph = nullptr;
  cudaError_t elsewhere = cudaSuccess;
  std::thread([&] { elsewhere = cudaStreamEndCapture(stream, &graph); }).join();
  CHECK(elsewhere == cudaErrorStreamCaptureWrongThread);
  CHECK_THAT(the_fault(), ContainsSubstring("another thread"));
  REQUIRE(cudaStreamEndCapture(stream, &graph) == cudaSuccess);
  cudaGraphDestroy(graph);
}
