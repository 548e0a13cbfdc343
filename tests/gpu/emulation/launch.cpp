/// cudart: libraries of kernels and their launches.
///
/// What a pointer argument may reach is the rest of its block; one to const is only read. A kernel that does what it
/// must not leaves the device unusable, as on a GPU.
#include "fibers.hpp"
#include "module.hpp"
#include "state.hpp"
#include <cstring>
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

namespace emulation {
namespace {

struct Library {
  void* code = nullptr;
  int file = -1;  // stays open: dlopen knows a library by its name
  std::string architecture;
  emulated::Machine* machine = nullptr;
  void (*shared_memory)(char** begin, char** end) = nullptr;
  ~Library() {
    if (code) dlclose(code);
    if (file >= 0) close(file);
  }
};

struct Kernel {
  std::string name;
  std::shared_ptr<Library> library;
  void (*call)(void* const* values);
  std::vector<emulated::Parameter> parameters;
  unsigned most_threads;  // of its launch bounds, 0 for none
};

std::map<const void*, std::shared_ptr<Library>>& libraries() {
  static auto* all = new std::map<const void*, std::shared_ptr<Library>>;
  return *all;
}
std::map<const void*, std::shared_ptr<Kernel>>& kernels() {
  static auto* all = new std::map<const void*, std::shared_ptr<Kernel>>;
  return *all;
}

template <class T> bool find(T& result, const Library& library, const std::string& name) {
  void* found = dlsym(library.code, name.c_str());
  std::memcpy(&result, &found, sizeof found);
  return found != nullptr;
}

/// A module that NVRTC made, in memory whose length only it knows.
std::shared_ptr<Library> load(const char* code) {
  const std::size_t mark = std::strlen(module_mark);
  if (!code || std::strncmp(code, module_mark, mark) != 0) return nullptr;
  auto library = std::make_shared<Library>();
  const char* end_of_line = std::strchr(code, '\n');
  library->architecture.assign(code + mark, end_of_line);
  char* bytes = nullptr;
  const std::size_t size = std::strtoull(end_of_line + 1, &bytes, 10);
  library->file = memfd_create("module", MFD_CLOEXEC);
  if (write(library->file, bytes + 1, size) != ssize_t(size)) return nullptr;
  library->code = dlopen(("/proc/self/fd/" + std::to_string(library->file)).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library->code || !find(library->machine, *library, "emulated_machine")) return nullptr;
  find(library->shared_memory, *library, "emulated_shared_memory");
  return library;
}

/// A cubin runs on its own major version from its minor version on, PTX on everything newer.
bool runs_on(const std::string& architecture, int device) {
  const int own = std::atoi(architecture.c_str() + architecture.find('_') + 1);
  const int version = int(number_in(device_json(device), "deviceVer") / 10);
  if (architecture.rfind("sm_", 0) != 0) return own <= version;
  return own / 10 == version / 10 && own <= version;
}

bool in_limits(dim3 grid, dim3 block, const Kernel& kernel) {
  const unsigned most = kernel.most_threads != 0 ? std::min(kernel.most_threads, 1024u) : 1024u;
  const auto threads = std::size_t(block.x) * block.y * block.z, blocks = std::size_t(grid.x) * grid.y * grid.z;
  return threads > 0 && threads <= most && block.z <= 64 && blocks > 0 && grid.x <= 2147483647u && grid.y <= 65535 &&
         grid.z <= 65535;
}

using Values = std::vector<std::vector<char>>;

void run_kernel(const Kernel& kernel, const Values& values, dim3 grid, dim3 block, int device) {
  Values local = values;
  std::vector<void*> addresses;
  for (std::size_t i = 0; i < local.size(); ++i) {
    if (kernel.parameters[i].is_pointer) {
      void* pointer = nullptr;
      std::memcpy(&pointer, local[i].data(), sizeof pointer);
      pointer = pointer ? alias_of(pointer) : nullptr;
      std::memcpy(local[i].data(), &pointer, sizeof pointer);
    }
    addresses.push_back(local[i].data());
  }
  emulated::Machine& machine = *kernel.library->machine;
  machine.grid_extents = grid;
  machine.block_extents = block;
  char *shared_begin = nullptr, *shared_end = nullptr;
  if (kernel.library->shared_memory) kernel.library->shared_memory(&shared_begin, &shared_end);
  BlockRun blocks(machine, [&] { kernel.call(addresses.data()); });
  for (std::size_t number = 0; number < std::size_t(grid.x) * grid.y * grid.z; ++number) {
    machine.block = {unsigned(number % grid.x), unsigned(number / grid.x % grid.y), unsigned(number / grid.x / grid.y)};
    if (shared_begin != shared_end) std::memset(shared_begin, 0xFF, std::size_t(shared_end - shared_begin));
    if (const std::string wrong = blocks.run(); !wrong.empty())
      return break_device(device, "kernel " + kernel.name + ": " + wrong);
  }
}

}  // namespace
}  // namespace emulation

using namespace emulation;

extern "C" {

cudaError_t cudaLibraryLoadData(cudaLibrary_t* result, const void* code, cudaJitOption*, void**, unsigned jit_options,
                                cudaLibraryOption*, void**, unsigned library_options) {
  return runtime_call("cudaLibraryLoadData", [&] {
    if (jit_options != 0 || library_options != 0) return misuse(cudaErrorNotSupported, "options are not emulated");
    const auto library = load(static_cast<const char*>(code));
    if (!library) return cudaErrorInvalidKernelImage;
    if (!runs_on(library->architecture, current_device())) return cudaErrorNoKernelImageForDevice;
    *result = reinterpret_cast<cudaLibrary_t>(library.get());
    libraries()[library.get()] = library;
    state().others[library.get()] = "a library of kernels";
    return cudaSuccess;
  });
}

cudaError_t cudaLibraryUnload(cudaLibrary_t handle) {
  return runtime_call("cudaLibraryUnload", [&] {
    if (libraries().count(handle) == 0) return misuse(cudaErrorInvalidResourceHandle, "not a library; unloaded twice?");
    std::erase_if(kernels(),
                  [&](const auto& item) { return item.second->library.get() == static_cast<const void*>(handle); });
    if (libraries().at(handle).use_count() > 1) fault("unloaded while its kernels are still to run");
    libraries().erase(handle);
    state().others.erase(handle);
    return cudaSuccess;
  });
}

cudaError_t cudaLibraryGetKernel(cudaKernel_t* result, cudaLibrary_t handle, const char* name) {
  return runtime_call("cudaLibraryGetKernel", [&] {
    const auto found = libraries().find(handle);
    if (found == libraries().end()) return misuse(cudaErrorInvalidResourceHandle, "not a library; unloaded?");
    auto kernel = std::make_shared<Kernel>();
    kernel->name = name;
    kernel->library = found->second;
    unsigned (*describe)(emulated::Parameter*) = nullptr;
    const unsigned* bounds = nullptr;
    const bool complete = find(kernel->call, *found->second, kernel->name + "__call") &&
                          find(describe, *found->second, kernel->name + "__describe") &&
                          find(bounds, *found->second, kernel->name + "__bounds");
    if (!complete) return cudaErrorSymbolNotFound;
    emulated::Parameter parameters[256];
    kernel->parameters.assign(parameters, parameters + describe(parameters));
    kernel->most_threads = *bounds;
    *result = reinterpret_cast<cudaKernel_t>(kernel.get());
    kernels()[kernel.get()] = kernel;
    return cudaSuccess;
  });
}

cudaError_t cudaLaunchKernel(const void* handle, dim3 grid, dim3 block, void** arguments, std::size_t shared_bytes,
                             cudaStream_t stream_handle) {
  return runtime_call("cudaLaunchKernel", [&] {
    const auto found = kernels().find(handle);
    if (found == kernels().end()) return misuse(cudaErrorInvalidResourceHandle, "not a kernel; its library unloaded?");
    const auto kernel = found->second;
    const auto stream = stream_of(stream_handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    const int device = current_device();
    if (stream->device != device)
      return misuse(cudaErrorInvalidResourceHandle, "a stream of a device that is not the current one");
    if (!runs_on(kernel->library->architecture, device)) return cudaErrorNoKernelImageForDevice;
    if (shared_bytes != 0)
      return misuse(cudaErrorNotSupported, "shared memory of a size given at launch is not emulated");
    if (!in_limits(grid, block, *kernel))
      return misuse(cudaErrorInvalidConfiguration, kernel->name + ": too many threads or blocks, or none");
    Work work{"kernel " + kernel->name, {}, {}};
    Values values;
    for (std::size_t i = 0; i < kernel->parameters.size(); ++i) {
      const emulated::Parameter& parameter = kernel->parameters[i];
      const char* value = static_cast<const char*>(arguments[i]);
      values.emplace_back(value, value + parameter.bytes);
      if (!parameter.is_pointer) continue;
      const void* pointer = nullptr;
      std::memcpy(&pointer, value, sizeof pointer);
      if (!pointer) continue;
      const Block* reached = block_of(pointer);
      if (reached && reached->device != device)
        return misuse(cudaErrorInvalidValue,
                      kernel->name + ": argument " + std::to_string(i) + " is memory of another device");
      const std::size_t rest =
          reached ? std::size_t(reached->at + reached->size - static_cast<const char*>(pointer)) : 1;
      work.accesses.push_back({pointer, rest, parameter.is_written});
    }
    work.run = [=, accesses = work.accesses] {
      run_kernel(*kernel, values, grid, block, device);
      for (const Access& access : accesses) check_margins(access.at);
    };
    return enqueue(stream_handle, std::move(work));
  });
}

}  // extern "C"
