/// Kernels at run time: NVRTC compiles all that an engine needs as one program, which a device loads.
#pragma once
#include "../backend/cuda/code.hpp"
#include "../backend/cuda/kernel.hpp"
#include "../backend/cuda/prelude.hpp"
#include "check.hpp"
#include "disk_cache.hpp"
#include <forward_list>
#include <mutex>
#include <nvrtc.h>
#include <utility>
#include <vector>

namespace lamina::gpu {

namespace detail {
/// An NVRTC program, destroyed at the end of its scope.
class NvrtcProgram {
  nvrtcProgram program_ = nullptr;

 public:
  explicit NvrtcProgram(const std::string& source) {
    const nvrtcResult result = nvrtcCreateProgram(&program_, source.c_str(), "lamina.cu", 0, nullptr, nullptr);
    if (result != NVRTC_SUCCESS) fail("nvrtcCreateProgram", result, source, {});
  }
  NvrtcProgram(const NvrtcProgram&) = delete;
  ~NvrtcProgram() { nvrtcDestroyProgram(&program_); }

  nvrtcProgram get() const { return program_; }
  std::string log() const {
    std::size_t size = 0;
    if (nvrtcGetProgramLogSize(program_, &size) != NVRTC_SUCCESS || size < 2) return {};
    std::string text(size, '\0');
    if (nvrtcGetProgramLog(program_, text.data()) != NVRTC_SUCCESS) return {};
    text.resize(size - 1);  // the terminator
    return text;
  }
  [[noreturn, gnu::cold]] static void fail(const char* call, nvrtcResult result, const std::string& source,
                                           std::string log) {
    Code text;
    text << call << ": " << nvrtcGetErrorString(result) << (log.empty() ? "" : "\n") << log;
    throw nvrtc_error(text.text, source, std::move(log));
  }
};
}  // namespace detail

/// Machine code, and what the compiler said.
struct Cubin {
  std::string code{}, log{};
};

/// Compiles CUDA C++ for an architecture (90 for sm_90), with one more option if it is given.
/// Throws gpu::nvrtc_error with the compiler's log.
[[gnu::cold]] inline Cubin compile_cubin(const std::string& source, int architecture, const char* option = nullptr) {
  const detail::NvrtcProgram program(source);
  const std::string target = "--gpu-architecture=sm_" + std::to_string(architecture);
  const char* const options[] = {target.c_str(), "--std=c++20", "--diag-suppress=177", option};
  const int count = option ? 4 : 3;
  nvrtcResult result = nvrtcCompileProgram(program.get(), count, options);
  Cubin cubin{.log = program.log()};
  if (result != NVRTC_SUCCESS) detail::NvrtcProgram::fail("nvrtcCompileProgram", result, source, cubin.log);
  std::size_t size = 0;
  result = nvrtcGetCUBINSize(program.get(), &size);
  if (result == NVRTC_SUCCESS) {
    cubin.code.resize(size);
    result = nvrtcGetCUBIN(program.get(), cubin.code.data());
  }
  if (result != NVRTC_SUCCESS) detail::NvrtcProgram::fail("nvrtcGetCUBIN", result, source, cubin.log);
  return cubin;
}

/// Machine code by source and architecture. Threads that ask for the same wait for the first.
class CubinCache {
  struct Entry {
    std::string key, code;
  };
  std::mutex mutex_{};
  std::forward_list<Entry> entries_{};  // a few, of which references are given away
  DiskCache disk_;

 public:
  explicit CubinCache(DiskCache disk) : disk_(std::move(disk)) {}
  /// The cache of this process, and of the folder that LAMINA_CUDA_CACHE names.
  static CubinCache& of_process() {
    static CubinCache cache{DiskCache()};
    return cache;
  }

  /// From memory, from the folder, or compiled. The reference stays valid.
  [[gnu::cold]] const std::string& get(const std::string& source, int architecture) {
    std::string key = key_of(source, architecture);
    const std::lock_guard lock(mutex_);
    for (const Entry& entry : entries_)
      if (entry.key == key) return entry.code;
    std::optional<std::string> code = disk_.read(key);
    if (!code) {
      code = compile_cubin(source, architecture).code;
      disk_.write(key, *code);
    }
    return entries_.emplace_front(Entry{std::move(key), std::move(*code)}).code;
  }

  static std::string key_of(const std::string& source, int architecture) {
    int major = 0, minor = 0;
    nvrtcVersion(&major, &minor);
    Code key;
    key << "cubin sm_" << architecture << ", nvrtc " << major << "." << minor << "\n" << source;
    return key.text;
  }
};

/// The architecture of the current device: 90 for compute capability 9.0.
inline int current_architecture() {
  int device = 0, major = 0, minor = 0;
  check(cudaGetDevice(&device), "cudaGetDevice");
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device), "cudaDeviceGetAttribute");
  check(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device), "cudaDeviceGetAttribute");
  return 10 * major + minor;
}

/// The source of kernels as one program: the prelude, then each kernel once.
[[gnu::cold]] inline std::string program_of(const std::vector<Kernel>& kernels) {
  std::string program(prelude);
  for (const Kernel& kernel : kernels)
    if (program.find(" " + kernel.name + "(") == program.npos) program += kernel.source;
  return program;
}

/// The kernels of an engine on devices of one architecture.
class Module {
  struct Loaded {
    cudaKernel_t kernel = nullptr;
    unsigned blocks = 1, threads = 1;
    int arguments = 0;
  };
  cudaLibrary_t library_ = nullptr;
  std::vector<Loaded> kernels_{};

 public:
  /// Compiles and loads them. Equal kernels may come several times.
  explicit Module(const std::vector<Kernel>& kernels) : Module(kernels, current_architecture()) {}
  Module(const std::vector<Kernel>& kernels, int architecture) {
    if (kernels.empty()) return;
    const std::string& code = CubinCache::of_process().get(program_of(kernels), architecture);
    check(cudaLibraryLoadData(&library_, code.data(), nullptr, nullptr, 0, nullptr, nullptr, 0), "cudaLibraryLoadData");
    try {
      for (const Kernel& kernel : kernels) load(kernel);
    } catch (...) {
      cudaLibraryUnload(library_);
      throw;
    }
  }
  Module(Module&& other) noexcept
      : library_(std::exchange(other.library_, nullptr)), kernels_(std::move(other.kernels_)) {}
  Module& operator=(Module&& other) noexcept {
    std::swap(library_, other.library_);
    std::swap(kernels_, other.kernels_);
    return *this;
  }
  ~Module() {
    if (library_) cudaLibraryUnload(library_);
  }

  /// Starts kernel number `i`, as they were given, on the current device; `pointers` are its arguments.
  void launch(int i, void* const* pointers, cudaStream_t stream) const {
    const Loaded& loaded = kernels_[std::size_t(i)];
    void* arguments[most_arguments];
    for (int k = 0; k < loaded.arguments; ++k) arguments[k] = const_cast<void**>(pointers + k);
    check(cudaLaunchKernel(reinterpret_cast<const void*>(loaded.kernel), dim3(loaded.blocks), dim3(loaded.threads),
                           arguments, 0, stream),
          "cudaLaunchKernel");
  }

 private:
  static constexpr int most_arguments = 512;  // 4 KB of pointers

  void load(const Kernel& kernel) {
    if (kernel.arguments > most_arguments)
      throw gpu_error((Code{} << "kernel " << kernel.name << " has " << kernel.arguments << " arguments; the most are "
                              << most_arguments)
                          .text);
    Loaded loaded{nullptr, kernel.blocks, kernel.threads, kernel.arguments};
    check(cudaLibraryGetKernel(&loaded.kernel, library_, kernel.name.c_str()), "cudaLibraryGetKernel");
    kernels_.push_back(loaded);
  }
};

}  // namespace lamina::gpu
