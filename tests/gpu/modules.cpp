/// Modules of kernels, and the caches of what was compiled for them.
#include "emulation/emulation.hpp"
#include "folder.hpp"
#include <catch2/catch_test_macros.hpp>
#include <lamina/backend/cuda/kernels/kernel_of.hpp>
#include <lamina/cuda/nvrtc.hpp>
#include <thread>

using namespace lamina;

namespace {
/// y = x + term for n elements.
gpu::Kernel shift(idx n, float term) {
  const gpu::KernelTensor x{{n}};
  return gpu::kernel_of(
      {.operation = ops::Activation{ops::Activation::Kind::shift, term}, .operands = &x, .operand_count = 1, .out = x});
}
const std::string source = "extern \"C\" __global__ void nothing(float* y) { (void)y; }\n";
long compilations() { return emulation::calls("nvrtcCompileProgram"); }
std::vector<std::string> nothing() { return {}; }
}  // namespace

TEST_CASE("kernels of a module are numbered as they were given, equal ones are compiled once") {
  const std::vector<gpu::Kernel> kernels{shift(5, 1), shift(5, 10), shift(5, 1)};
  const std::string program = gpu::program_of(kernels);
  CHECK(program.find(kernels[0].source) != std::string::npos);
  CHECK(program.find(kernels[0].source) == program.rfind(kernels[0].source));
  cudaStream_t stream = nullptr;
  gpu::check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  float values[5] = {0, 1, 2, 3, 4};
  void* memory = nullptr;
  {
    gpu::Module moved(kernels);
    const gpu::Module module(std::move(moved));
    gpu::check(cudaMallocAsync(&memory, sizeof values, stream), "cudaMallocAsync");
    gpu::check(cudaMemcpyAsync(memory, values, sizeof values, cudaMemcpyHostToDevice, stream), "cudaMemcpyAsync");
    void* const pointers[] = {memory, memory};
    for (const int i : {0, 1, 2}) module.launch(i, pointers, stream);
    gpu::check(cudaMemcpyAsync(values, memory, sizeof values, cudaMemcpyDeviceToHost, stream), "cudaMemcpyAsync");
    gpu::check(cudaFreeAsync(memory, stream), "cudaFreeAsync");
    gpu::check(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
  }
  gpu::check(cudaStreamDestroy(stream), "cudaStreamDestroy");
  for (int i = 0; i < 5; ++i) CHECK(values[i] == float(i) + 12);
  CHECK(emulation::faults() == nothing());
  CHECK(emulation::leaks() == nothing());
}

TEST_CASE("a program is compiled once for an architecture, by however many threads") {
  gpu::CubinCache cache{gpu::DiskCache("")};
  const long before = compilations();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { cache.get(source, 90); });
  for (std::thread& thread : threads) thread.join();
  CHECK(compilations() == before + 1);
  const std::string* const code = &cache.get(source, 90);
  CHECK(&cache.get(source, 90) == code);
  CHECK(cache.get(source, 80) != *code);
  CHECK(compilations() == before + 2);
}

TEST_CASE("what one program compiled, the next one reads") {
  const Folder folder;
  const long before = compilations();
  const std::string code = gpu::CubinCache(gpu::DiskCache(folder.path / "new")).get(source, 90);
  CHECK(gpu::CubinCache(gpu::DiskCache(folder.path / "new")).get(source, 90) == code);
  CHECK(compilations() == before + 1);
  gpu::CubinCache(gpu::DiskCache(folder.path / "new")).get(source + "\n", 90);
  CHECK(compilations() == before + 2);
}

TEST_CASE("a damaged file of the cache is refused and made again") {
  const Folder folder;
  const gpu::DiskCache disk(folder.path);
  const std::string key = "a key\n", value("a value\0with a zero", 19);
  CHECK_FALSE(disk.read(key));
  disk.write(key, value);
  CHECK(disk.read(key) == value);
  CHECK(folder.files() == 1);
  const std::string whole = contents(disk.path(key));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    INFO("byte " << i << " of " << whole.size());
    std::string changed = whole;
    changed[i] = char(changed[i] ^ 1);
    overwrite(disk.path(key), changed);
    CHECK_FALSE(disk.read(key));
    overwrite(disk.path(key), whole.substr(0, i));
    CHECK_FALSE(disk.read(key));
  }
  overwrite(disk.path(key), whole + "x");
  CHECK_FALSE(disk.read(key));
  disk.write(key, value);
  CHECK(disk.read(key) == value);
  CHECK(folder.files() == 1);

  gpu::CubinCache(disk).get(source, 90);
  const long before = compilations();
  overwrite(disk.path(gpu::CubinCache::key_of(source, 90)), "not a cubin");
  gpu::CubinCache(disk).get(source, 90);
  CHECK(compilations() == before + 1);
  gpu::CubinCache(disk).get(source, 90);
  CHECK(compilations() == before + 1);
}

TEST_CASE("a file of another key under the same name is refused") {
  const Folder folder;
  const gpu::DiskCache disk(folder.path);
  disk.write("one", "1");
  fs::rename(disk.path("one"), disk.path("two"));
  CHECK_FALSE(disk.read("two"));
}

TEST_CASE("a folder that cannot be written to only costs the compilation") {
  const Folder folder;
  overwrite(folder.path / "file", "");
  const gpu::DiskCache disk((folder.path / "file" / "below").string());
  disk.write("key", "value");
  CHECK_FALSE(disk.read("key"));
  CHECK(gpu::CubinCache(disk).get(source, 90).size() > 0);
}

TEST_CASE("a kernel that cannot be loaded is an error of CUDA, and leaves nothing behind") {
  emulation::fail_next("cudaLibraryGetKernel", cudaErrorSymbolNotFound);
  CHECK_THROWS_AS(gpu::Module({shift(3, 2)}), gpu::cuda_error);
  emulation::fail_next("cudaLibraryLoadData", cudaErrorNoKernelImageForDevice);
  CHECK_THROWS_AS(gpu::Module({shift(3, 2)}), gpu::cuda_error);
  CHECK(emulation::faults() == nothing());
  CHECK(emulation::leaks() == nothing());
}
