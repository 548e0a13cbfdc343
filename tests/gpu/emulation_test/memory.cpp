/// Memory of emulated devices: what a GPU forgives and the emulation does not.
#include "machine.hpp"
#include <cmath>
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

using namespace emulation_test;

namespace {
/// The signal that a child which runs `body` ends with, 0 if none.
template <class Body> int signal_of(Body body) {
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGSEGV, SIG_DFL);
    body();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}
}  // namespace

TEST_CASE("there are two devices unless a test says otherwise") {
  int count = 0;
  CHECK(cudaGetDeviceCount(&count) == cudaSuccess);
  CHECK(count == 2);
  cudaDeviceProp properties{};
  REQUIRE(cudaGetDeviceProperties(&properties, 0) == cudaSuccess);
  CHECK(properties.major == 9);
  CHECK(properties.multiProcessorCount == 132);
  CHECK(properties.maxThreadsDim[2] == 64);
  CHECK(cudaSetDevice(2) == cudaErrorInvalidDevice);
  CHECK(cudaGetLastError() == cudaErrorInvalidDevice);
  CHECK(cudaGetLastError() == cudaSuccess);
}

TEST_CASE("without a device the count is not written") {
  emulation::set_device_count(0);
  int count = 77;
  CHECK(cudaGetDeviceCount(&count) == cudaErrorNoDevice);
  CHECK(count == 77);
  cudaStream_t stream = nullptr;
  CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaErrorNoDevice);
  emulation::set_device_count(2);
  cudaGetLastError();
}

TEST_CASE("the host cannot touch the memory of a device") {
  const Stream stream;
  const Array<> x(stream, 16);
  stream.wait();
  CHECK(signal_of([&] { const_cast<volatile float*>(x.data)[3] = 1; }) == SIGSEGV);
  CHECK(signal_of([&] { (void)const_cast<volatile float*>(x.data)[3]; }) == SIGSEGV);
}

TEST_CASE("new memory is full of NaN, also where it was written in an earlier life") {
  const Stream stream;
  for (int life = 0; life < 2; ++life) {
    Array<> x(stream, 300);
    for (const float value : x.values()) CHECK(std::isnan(value));
    REQUIRE(cudaMemsetAsync(x.data, 0, 1200, stream) == cudaSuccess);
    CHECK(x.values()[299] == 0);
  }
}

TEST_CASE("memory used after it was freed") {
  const Stream stream;
  Array<> x(stream, 16);
  float* const old = std::exchange(x.data, nullptr);
  REQUIRE(cudaFreeAsync(old, stream) == cudaSuccess);
  CHECK(cudaMemsetAsync(old, 0, 4, stream) == cudaErrorInvalidValue);
  CHECK_THAT(the_fault(), ContainsSubstring("use after free of a block of 64 bytes"));
  stream.wait();
  CHECK(cudaMemsetAsync(old, 0, 4, stream) == cudaErrorInvalidValue);
  CHECK_THAT(the_fault(), ContainsSubstring("freed, or never allocated"));
}

TEST_CASE("memory freed twice, or not from its beginning") {
  const Stream stream;
  Array<> x(stream, 1024);
  CHECK(cudaFreeAsync(x.data + 4, stream) == cudaErrorInvalidValue);
  CHECK_THAT(the_fault(), ContainsSubstring("not the beginning of a block"));
  float* const old = std::exchange(x.data, nullptr);
  REQUIRE(cudaFreeAsync(old, stream) == cudaSuccess);
  CHECK(cudaFreeAsync(old, stream) == cudaErrorInvalidValue);
  CHECK_THAT(the_fault(), ContainsSubstring("freed twice"));
  float here = 0;
  CHECK(cudaFreeAsync(&here, stream) == cudaErrorInvalidValue);
  CHECK_THAT(the_fault(), ContainsSubstring("not memory of a device"));
}

TEST_CASE("copies that are longer than the block, or between other memories than they say") {
  const Stream stream;
  const Array<> x(stream, 100);
  std::vector<float> host(200, 1.f);
  CHECK(cudaMemcpyAsync(x.data, host.data(), 404, cudaMemcpyHostToDevice, stream) == cudaErrorInvalidValue);
  CHECK_THAT(the_fault(), ContainsSubstring("bytes 0 to 404 of a block of 400"));
  CHECK(cudaMemcpyAsync(host.data(), x.data + 99, 8, cudaMemcpyDeviceToHost, stream) == cudaErrorInvalidValue);
  CHECK_THAT(the_fault(), ContainsSubstring("bytes 396 to 404 of a block of 400"));
  CHECK(cudaMemcpyAsync(x.data, host.data(), 4, cudaMemcpyDeviceToDevice, stream) == cudaErrorInvalidMemcpyDirection);
  CHECK_THAT(the_fault(), ContainsSubstring("not of the memories"));
  CHECK(cudaMemcpyAsync(nullptr, host.data(), 4, cudaMemcpyHostToDevice, stream) == cudaErrorInvalidValue);
  CHECK_THAT(the_fault(), ContainsSubstring("null pointer"));
}

TEST_CASE("results are there when the host has waited, not before") {
  const Stream stream;
  const Array<> x(stream, std::vector<float>{1, 2, 3});
  std::vector<float> result(3, 7.f);
  REQUIRE(cudaMemcpyAsync(result.data(), x.data, 12, cudaMemcpyDeviceToHost, stream) == cudaSuccess);
  for (const float value : result) CHECK(std::isnan(value));
  stream.wait();
  CHECK(result == std::vector<float>{1, 2, 3});
}

TEST_CASE("pageable memory is read by the call, pinned memory when the stream comes to it") {
  const Stream stream;
  const Array<> x(stream, 1), y(stream, 1);
  void* memory = nullptr;
  REQUIRE(cudaMallocHost(&memory, 4) == cudaSuccess);
  float pageable = 1, &pinned = *static_cast<float*>(memory);
  pinned = 1;
  REQUIRE(cudaMemcpyAsync(x.data, &pageable, 4, cudaMemcpyHostToDevice, stream) == cudaSuccess);
  REQUIRE(cudaMemcpyAsync(y.data, &pinned, 4, cudaMemcpyHostToDevice, stream) == cudaSuccess);
  pageable = pinned = 2;
  CHECK(x.values() == std::vector<float>{1});
  CHECK(y.values() == std::vector<float>{2});
  CHECK(cudaFreeHost(memory) == cudaSuccess);
  CHECK(cudaFreeHost(memory) == cudaErrorInvalidValue);
  CHECK_THAT(the_fault(), ContainsSubstring("freed twice"));
}

TEST_CASE("a device has as much memory as it is given") {
  const Stream stream;
  const std::size_t before = emulation::memory_used(0);
  emulation::set_memory_limit(0, before + 1000);
  {
    const Array<> x(stream, 200);
    void* more = &more;
    CHECK(cudaMallocAsync(&more, 201, stream) == cudaErrorMemoryAllocation);
    std::size_t free = 0, total = 0;
    CHECK(cudaMemGetInfo(&free, &total) == cudaSuccess);
    CHECK(free == 200);
    CHECK(total == before + 1000);
    CHECK(emulation::memory_used(0) == before + 800);
  }
  CHECK(emulation::memory_used(0) == before);
  emulation::set_memory_limit(0, std::size_t(80) << 30);
  cudaGetLastError();
}

TEST_CASE("memory of another device is not a stream's to set; a copy reaches it") {
  const Stream first(0), second(1);
  const Array<> x(first, std::vector<float>{1, 2}), y(second, 2);
  first.wait();
  second.wait();
  const On on(1);
  REQUIRE(cudaMemcpyPeerAsync(y.data, 1, x.data, 0, 8, second) == cudaSuccess);
  CHECK(y.values() == std::vector<float>{1, 2});
  CHECK(cudaMemcpyPeerAsync(y.data, 0, x.data, 1, 8, second) == cudaErrorInvalidValue);
  CHECK_THAT(the_fault(), ContainsSubstring("not of the device that is named"));
}

TEST_CASE("what is left is listed") {
  const auto before = emulation::leaks();
  {
    const Stream stream;
    const Array<> x(stream, 25);
    const auto left = emulation::leaks();
    CHECK(left.size() == before.size() + 2);
    CHECK(left[0] == "a block of 100 bytes on device 0");
  }
  CHECK(emulation::leaks() == before);
}

TEST_CASE("a failure that a test asks for is no fault, and comes when it is due") {
  const Stream stream;
  emulation::fail_next("cudaMallocAsync", cudaErrorMemoryAllocation, 1);
  const Array<> works(stream, 1);
  void* memory = nullptr;
  CHECK(cudaMallocAsync(&memory, 4, stream) == cudaErrorMemoryAllocation);
  CHECK(cudaGetLastError() == cudaErrorMemoryAllocation);
  const Array<> works_again(stream, 1);
  CHECK(emulation::faults().empty());
}
