/// Device memory: errors, devices, transfers, the order of streams, and what threads leave behind.
#include "emulation/emulation.hpp"
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <future>
#include <lamina/cuda/context.hpp>
#include <lamina/cuda/memory_pool.hpp>
#include <lamina/tensor/tensor.hpp>
#include <thread>
#include <vector>

using namespace lamina;
using Catch::Matchers::ContainsSubstring;
using gpu::Context;

namespace {
std::vector<std::byte> pattern(std::size_t size) {
  std::vector<std::byte> bytes(size);
  std::uint32_t state = 1;
  for (std::byte& byte : bytes) byte = std::byte((state = state * 1664525u + 1013904223u) >> 24);
  return bytes;
}
std::vector<std::byte> fetched(const Storage& storage) {
  std::vector<std::byte> bytes(storage.bytes());
  storage.memory()->copy_to_host(bytes.data(), storage.data(), bytes.size());
  return bytes;
}
/// A comparison whose failure does not print megabytes.
bool holds(const Storage& storage, const std::vector<std::byte>& bytes) { return fetched(storage) == bytes; }
Storage uploaded(int device, const std::vector<std::byte>& bytes) {
  Storage storage = Context::of(device).allocate(bytes.size());
  storage.memory()->copy_from_host(storage.data(), bytes.data(), bytes.size());
  return storage;
}
/// Runs in a thread of its own, whose contexts end with it.
template <class F> void in_a_thread(F&& f) { std::thread(std::forward<F>(f)).join(); }
std::vector<std::string> none() { return {}; }
}  // namespace

TEST_CASE("GPUs are counted, and an absent one is named") {
  const int count = gpu::device_count();
  REQUIRE(count > 0);
  CHECK_THROWS_AS(Context::of(count), gpu::no_device);
  CHECK_THROWS_WITH(Context::of(-1),
                    ContainsSubstring("there is no cuda:-1: the number of GPUs is " + std::to_string(count)));
}

TEST_CASE("without a driver, with its stub and without a GPU there are no devices") {
  for (const auto& [code, name] : {std::pair(35, "cudaErrorInsufficientDriver"), std::pair(34, "cudaErrorStubLibrary"),
                                   std::pair(100, "cudaErrorNoDevice")}) {
    emulation::fail_next("cudaGetDeviceCount", code);
    CHECK(gpu::device_count() == 0);
    CHECK(cudaPeekAtLastError() == cudaSuccess);
    emulation::fail_next("cudaGetDeviceCount", code);
    in_a_thread([name = name] {
      try {
        Context::of(0);
        FAIL("no error");
      } catch (const gpu::no_device& e) { CHECK_THAT(e.what(), ContainsSubstring(name)); }
    });
  }
}

TEST_CASE("an error says which call failed, where, and why", "[two]") {
  const gpu::DeviceGuard guard(1);
  emulation::fail_next("cudaMallocAsync", cudaErrorInvalidValue);
  try {
    static_cast<void>(Context::of(1).allocate(512));
    FAIL("no error");
  } catch (const gpu::cuda_error& e) {
    CHECK(std::string(e.what()) ==
          "cudaMallocAsync of 512 bytes on cuda:1: cudaErrorInvalidValue (1): invalid argument");
    CHECK(e.code == 1);
    CHECK(e.device == 1);
  }
  CHECK(cudaPeekAtLastError() == cudaSuccess);
}

TEST_CASE("memory that a device does not have") {
  try {
    static_cast<void>(Context::of(0).allocate(std::size_t(1) << 40));
    FAIL("no error");
  } catch (const gpu::out_of_memory& e) {
    CHECK(e.bytes == std::size_t(1) << 40);
    CHECK(e.device == 0);
  }
  CHECK(holds(uploaded(0, pattern(100)), pattern(100)));
}

TEST_CASE("a guard sets the device and puts it back", "[two]") {
  int device = -1;
  {
    const gpu::DeviceGuard guard(1);
    cudaGetDevice(&device);
    CHECK(device == 1);
  }
  cudaGetDevice(&device);
  CHECK(device == 0);
  CHECK_THROWS_AS(gpu::DeviceGuard(7), gpu::no_device);
}

TEST_CASE("transfers of any size arrive whole") {
  const std::size_t half = std::size_t(4) << 20;
  for (const std::size_t size :
       {std::size_t(0), std::size_t(1), half - 1, half, half + 1, 2 * half, 5 * half + 12345}) {
    INFO(size);
    const auto bytes = pattern(size);
    CHECK(holds(uploaded(0, bytes), bytes));
  }
  const Storage part = uploaded(0, pattern(64));
  Storage whole(128);
  Storage::copy_bytes(whole, 32, part, 16, 8);
  CHECK(std::memcmp(whole.data() + 32, pattern(64).data() + 16, 8) == 0);
}

TEST_CASE("copies within a device and from one to another", "[two]") {
  const auto bytes = pattern(1000);
  const Storage first = uploaded(0, bytes), second = Context::of(1).allocate(1000);
  CHECK(holds(first.clone(), bytes));
  Storage::copy_bytes(second, 0, first, 0, 1000);
  CHECK(second.device() == cuda{1});
  CHECK(holds(second, bytes));
  CHECK(emulation::faults() == none());
}

TEST_CASE("a block is freed with its last share, in the order of its stream") {
  const std::size_t before = emulation::memory_used(0);
  {
    const Tensor<float, Shape<1000>> x(Context::of(0).allocate(4000), {1000});
    const auto shared = x;
    CHECK(emulation::memory_used(0) == before + 4000);
  }
  CHECK(emulation::memory_used(0) == before);
  Context::of(0).synchronize();
  CHECK(emulation::faults() == none());
}

TEST_CASE("the memory in use is known, and its peak") {
  Context& context = Context::of(0);
  const auto allocated = [&] {
    context.synchronize();
    return gpu::memory_allocated(cuda{0});
  };
  const std::size_t before = allocated(), size = std::size_t(4) << 20;
  gpu::reset_peak_memory_stats(cuda{0});
  CHECK(gpu::max_memory_allocated(cuda{0}) == before);
  {
    const Storage first = context.allocate(size);
    CHECK(allocated() == before + size);
    const Storage second = context.allocate(2 * size);
    CHECK(allocated() == before + 3 * size);
    CHECK(gpu::memory_reserved(cuda{0}) >= before + 3 * size);
  }
  CHECK(allocated() == before);
  CHECK(gpu::max_memory_allocated(cuda{0}) == before + 3 * size);
  gpu::reset_peak_memory_stats(cuda{0});
  CHECK(gpu::max_memory_allocated(cuda{0}) == before);
  CHECK_THROWS_WITH(gpu::memory_allocated(cuda{gpu::device_count()}), ContainsSubstring("the number of GPUs is"));
  CHECK(emulation::faults() == none());
}

TEST_CASE("a thread has one context a device, and takes it along at its end", "[two]") {
  const auto leaks = emulation::leaks();
  CHECK(&Context::of(0) == &Context::of(0));
  CHECK(&Context::of(0) != &Context::of(1));
  in_a_thread([&, here = &Context::of(0)] {
    Context& context = Context::of(0);
    CHECK(&context != here);
    CHECK(context.stream() != here->stream());
    static_cast<void>(uploaded(0, pattern(10)));
    static_cast<void>(context.cudnn());
    CHECK(context.cudnn() == context.cudnn());
  });
  static_cast<void>(Context::of(1));
  CHECK(emulation::leaks().size() <= leaks.size() + 2);  // the streams of this thread's contexts
  CHECK(emulation::faults() == none());
}

TEST_CASE("memory outlives the thread that made it") {
  const auto bytes = pattern(300);
  Storage made;
  in_a_thread([&] { made = uploaded(0, bytes); });
  CHECK(holds(made, bytes));
  in_a_thread([&] { CHECK(holds(made.clone(), bytes)); });
  in_a_thread([&] { made = Storage(); });
  CHECK(emulation::faults() == none());
}

TEST_CASE("threads that hand memory over wait for each other on the device alone") {
  const auto bytes = pattern(5000), other = pattern(4999);
  const Storage made = uploaded(0, bytes);  // its copy may still be under way
  std::promise<bool> arrived, written, read;
  std::thread thread([&] {
    arrived.set_value(holds(made, bytes));
    made.memory()->copy_from_host(made.data(), other.data(), other.size());
    written.set_value(true);
    read.get_future().wait();  // the end of the thread would wait for its stream
  });
  CHECK(arrived.get_future().get());
  written.get_future().wait();
  auto expected = bytes;
  std::copy(other.begin(), other.end(), expected.begin());
  CHECK(holds(made, expected));
  read.set_value(true);
  thread.join();
  CHECK(emulation::faults() == none());
}

TEST_CASE("an asynchronous error appears at the synchronisation, and the context is dead") {
  emulation::fail_next("cudaStreamSynchronize", cudaErrorIllegalAddress);
  in_a_thread([] {
    Context& context = Context::of(1);
    CHECK_THROWS_AS(context.synchronize(), gpu::cuda_error);
    try {
      static_cast<void>(context.allocate(8));
      FAIL("no error");
    } catch (const gpu::gpu_error& e) {
      CHECK_THAT(e.what(), ContainsSubstring("this thread's context on cuda:1 is of no use any more since: "
                                             "cudaStreamSynchronize on cuda:0: cudaErrorIllegalAddress (700)"));
    }
    CHECK_THROWS_AS(context.synchronize(), gpu::gpu_error);
  });
  CHECK_NOTHROW(Context::of(0).synchronize());
}
