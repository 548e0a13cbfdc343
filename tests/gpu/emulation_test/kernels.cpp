/// Kernels that NVRTC is asked for: threads of a block, and what a kernel may not do.
#include "machine.hpp"
#include <catch2/generators/catch_generators.hpp>
#include <cmath>
#include <filesystem>
#include <numeric>

using namespace emulation_test;

namespace {

const char* const source = R"(
extern "C" __global__ void add_one(float* y, const float* x) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  y[i] = x[i] + 1;
}
extern "C" __global__ void reversed(float* y, const float* x) {
  __shared__ float row[64];
  row[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  y[threadIdx.x] = row[blockDim.x - 1 - threadIdx.x];
}
extern "C" __global__ void sum_of_warp(float* y, const float* x) {
  float sum = x[threadIdx.x];
  for (int step = 16; step > 0; step /= 2) sum += __shfl_down_sync(0xffffffffu, sum, step);
  if (threadIdx.x % 32 == 0) y[threadIdx.x / 32] = sum;
}
extern "C" __global__ void count_positive(float* y, const float* x) {
  const unsigned votes = __ballot_sync(0xffffffffu, x[threadIdx.x] > 0);
  if (threadIdx.x == 0) *y = float(__popc(votes));
}
extern "C" __global__ void forgotten_lanes(float* y) {
  if (threadIdx.x < 16) *y = __shfl_sync(0xffffffffu, *y, 0);
}
extern "C" __global__ void barrier_for_some(float* y) {
  if (threadIdx.x < 7) __syncthreads();
  else { __syncthreads(); }
  *y = 1;
}
extern "C" __global__ void shared_is_not_zero(float* y) {
  __shared__ float sum;
  sum += 1;
  *y = sum;
}
extern "C" __global__ void outside(float* y) { y[1000000] = 1; }
extern "C" __global__ void just_outside(float* y) { y[-1] = 1; }
extern "C" __global__ void null(float* y) { *y = 1; }
extern "C" __global__ __launch_bounds__(64) void bounded(float* y) { *y = 1; }
)";

const Module& module() {
  static const Module made(source);
  return made;
}

std::vector<float> counted(std::size_t size) {
  std::vector<float> values(size);
  std::iota(values.begin(), values.end(), 0.f);
  return values;
}

}  // namespace

TEST_CASE("threads of several blocks") {
  const Stream stream;
  const Array<> x(stream, counted(96)), y(stream, 96);
  REQUIRE(module().launch("add_one", 3, 32, stream, y.data, x.data) == cudaSuccess);
  const auto values = y.values();
  for (std::size_t i = 0; i < values.size(); ++i) CHECK(values[i] == float(i + 1));
}

TEST_CASE("a barrier between threads, and values of other lanes") {
  const Stream stream;
  const Array<> x(stream, counted(64)), y(stream, 64);
  REQUIRE(module().launch("reversed", 1, 64, stream, y.data, x.data) == cudaSuccess);
  CHECK(y.values()[3] == 60);
  REQUIRE(module().launch("sum_of_warp", 1, 64, stream, y.data, x.data) == cudaSuccess);
  CHECK(y.values()[0] == 496);
  CHECK(y.values()[1] == 496 + 32 * 32);
  REQUIRE(module().launch("count_positive", 1, 32, stream, y.data, x.data) == cudaSuccess);
  CHECK(y.values()[0] == 31);
}

TEST_CASE("shared memory begins as NaN") {
  const Stream stream;
  const Array<> y(stream, 1);
  REQUIRE(module().launch("shared_is_not_zero", 1, 1, stream, y.data) == cudaSuccess);
  CHECK(std::isnan(y.values()[0]));
}

TEST_CASE("a kernel that writes outside of its memory, or hangs, breaks its device") {
  const Stream stream;
  Array<> y(stream, 16);
  const bool null = GENERATE(false, true);
  const auto [kernel, why] = GENERATE(table<const char*, const char*>({
      {"outside", "an access to memory that is not its own"},
      {"barrier_for_some", "a barrier that is not reached by every thread"},
      {"forgotten_lanes", "a barrier that is not reached by every thread"},
  }));
  float* const target = null && std::string(kernel) == "outside" ? nullptr : y.data;
  REQUIRE(module().launch(target ? kernel : "null", 1, 32, stream, target) == cudaSuccess);
  CHECK(cudaStreamSynchronize(stream) == cudaErrorIllegalAddress);
  CHECK_THAT(the_fault(), ContainsSubstring("device 0 is broken") && ContainsSubstring(why));
  CHECK(cudaMemsetAsync(y.data, 0, 4, stream) == cudaErrorIllegalAddress);
  emulation::reset_device(0);
  y.data = nullptr;
  cudaGetLastError();
}

TEST_CASE("a kernel that writes just beside its memory") {
  const Stream stream;
  const Array<> y(stream, 70);
  REQUIRE(module().launch("just_outside", 1, 1, stream, y.data) == cudaSuccess);
  stream.wait();
  CHECK_THAT(the_fault(), ContainsSubstring("just beside a block of 280 bytes"));
}

TEST_CASE("launches that a device refuses") {
  const Stream stream, elsewhere(1);
  const Array<> y(stream, 16), far(elsewhere, 16);
  elsewhere.wait();
  float here = 0;
  CHECK(module().launch("bounded", 1, 65, stream, y.data) == cudaErrorInvalidConfiguration);
  CHECK_THAT(the_fault(), ContainsSubstring("too many threads or blocks, or none"));
  CHECK(module().launch("bounded", dim3(1, 65536), 1, stream, y.data) == cudaErrorInvalidConfiguration);
  CHECK_THAT(the_fault(), ContainsSubstring("too many threads or blocks, or none"));
  CHECK(module().launch("bounded", 0, 1, stream, y.data) == cudaErrorInvalidConfiguration);
  CHECK_THAT(the_fault(), ContainsSubstring("too many threads or blocks, or none"));
  CHECK(module().launch("bounded", 1, 1, stream, &here) == cudaErrorInvalidValue);
  CHECK_THAT(the_fault(), ContainsSubstring("memory of the host"));
  CHECK(module().launch("bounded", 1, 1, stream, far.data) == cudaErrorInvalidValue);
  CHECK_THAT(the_fault(), ContainsSubstring("memory of another device"));
  CHECK(module().launch("bounded", 1, 1, elsewhere, y.data) == cudaErrorInvalidResourceHandle);
  CHECK_THAT(the_fault(), ContainsSubstring("a device that is not the current one"));
  cudaGetLastError();
}

TEST_CASE("kernels that are unloaded before they have run") {
  const Stream stream;
  const Array<> y(stream, 1);
  {
    const Module unloaded(source);
    REQUIRE(unloaded.launch("null", 1, 1, stream, y.data) == cudaSuccess);
  }
  CHECK_THAT(the_fault(), ContainsSubstring("unloaded while its kernels are still to run"));
  CHECK(y.values()[0] == 1);
}

TEST_CASE("kernels of another architecture, of no kernel's name, and what is no module") {
  cudaLibrary_t library = nullptr;
  const auto load = [&](const std::string& code) {
    return cudaLibraryLoadData(&library, code.data(), nullptr, nullptr, 0, nullptr, nullptr, 0);
  };
  CHECK(load(Module::compiled(source, "sm_80")) == cudaErrorNoKernelImageForDevice);
  CHECK(load("no module") == cudaErrorInvalidKernelImage);
  cudaKernel_t kernel = nullptr;
  CHECK(cudaLibraryGetKernel(&kernel, module().library, "absent") == cudaErrorSymbolNotFound);
  CHECK(emulation::faults().empty());
  cudaGetLastError();
}

TEST_CASE("NVRTC says what is wrong with a source, and wants an architecture") {
  nvrtcProgram program = nullptr;
  REQUIRE(nvrtcCreateProgram(&program, "extern \"C\" __global__ void f(float* y) { *y = absent; }", "f.cu", 0, nullptr,
                             nullptr) == NVRTC_SUCCESS);
  CHECK(nvrtcCompileProgram(program, 0, nullptr) == NVRTC_ERROR_INVALID_OPTION);
  CHECK_THAT(the_fault(), ContainsSubstring("--gpu-architecture"));
  const char* const option = "--gpu-architecture=sm_90";
  CHECK(nvrtcCompileProgram(program, 1, &option) == NVRTC_ERROR_COMPILATION);
  std::size_t size = 0;
  REQUIRE(nvrtcGetProgramLogSize(program, &size) == NVRTC_SUCCESS);
  std::string log(size, ' ');
  REQUIRE(nvrtcGetProgramLog(program, log.data()) == NVRTC_SUCCESS);
  CHECK_THAT(log, ContainsSubstring("absent"));
  REQUIRE(nvrtcDestroyProgram(&program) == NVRTC_SUCCESS);
}

TEST_CASE("sources of kernels are stored, once each") {
  const auto folder = std::filesystem::temp_directory_path() / "lamina-recorded-kernels";
  std::filesystem::remove_all(folder);
  emulation::record_kernels(folder.string());
  Module::compiled(source);
  Module::compiled(source);
  emulation::record_kernels("");
  const auto files = std::distance(std::filesystem::directory_iterator(folder), {});
  CHECK(files == 1);
  std::filesystem::remove_all(folder);
}
