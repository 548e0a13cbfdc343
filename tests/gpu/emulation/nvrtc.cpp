/// NVRTC: kernels compiled by the compiler of the host.
///
/// A "cubin" is a line that names the architecture, the length of what follows, and a shared library with the same
/// kernels; launch.cpp loads it. Libraries are kept by the hash of their source in a folder that goes with the process,
/// or that LAMINA_EMULATION_CACHE names. LAMINA_KERNEL_RECORD=FOLDER gets every distinct source as HASH.cu.
#include "module.hpp"
#include "state.hpp"
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nvrtc.h>
#include <sstream>
#include <unistd.h>

namespace emulation {
namespace {

namespace fs = std::filesystem;

struct Program {
  std::string source, log, module;
};

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Written under another name first: other programs may look for it at the same time.
void write(const fs::path& path, const std::string& text) {
  const fs::path unfinished = path.string() + "." + std::to_string(getpid());
  std::ofstream(unfinished, std::ios::binary) << text;
  fs::rename(unfinished, path);
}

/// Never destroyed: objects of the program may compile kernels until it ends.
const std::string& cache_folder() {
  static const std::string& folder = *[] {
    if (const char* named = std::getenv("LAMINA_EMULATION_CACHE")) {
      fs::create_directories(named);
      return new std::string(named);
    }
    auto* name = new std::string((fs::temp_directory_path() / "emulation-XXXXXX").string());
    if (!mkdtemp(name->data())) std::abort();
    std::atexit([] {
      std::error_code ignored;
      fs::remove_all(cache_folder(), ignored);
    });
    return name;
  }();
  return folder;
}

/// The architecture that the options name, and what of them the host's compiler understands; false for an unknown
/// option.
bool read_options(int count, const char* const* options, std::string& architecture, std::string& flags,
                  std::string& log) {
  const auto quoted = [](const std::string& text) { return " '" + text + "'"; };
  for (int i = 0; i < count; ++i) {
    const std::string option = options[i];
    const auto value_after = [&](const char* name) {
      return option.rfind(name, 0) == 0 ? option.substr(std::strlen(name)) : std::string();
    };
    std::string value = value_after("--gpu-architecture=");
    if (value.empty()) value = value_after("-arch=");
    const bool known =
        option.rfind("--fmad=", 0) == 0 || option.rfind("--std=", 0) == 0 || option.rfind("-std=", 0) == 0 ||
        option.rfind("--ptxas-options=", 0) == 0 || option == "--use_fast_math" || option == "-default-device" ||
        option == "--device-as-default-execution-space" || option == "--restrict" || option == "-lineinfo" ||
        option == "--extra-device-vectorization" || option == "--generate-line-info" ||
        option.rfind("--diag-suppress=", 0) == 0 || option == "-w" || option == "--disable-warnings" ||
        option.rfind("--split-compile=", 0) == 0 || option == "--minimal" || option == "--no-cache";
    if (!value.empty()) architecture = value;
    else if (option.rfind("-D", 0) == 0 || option.rfind("-I", 0) == 0) flags += quoted(option);
    else if (option.rfind("--define-macro=", 0) == 0) flags += quoted("-D" + option.substr(15));
    else if (!known) {
      log = "nvrtc: error: unrecognized option " + option + " found";
      return false;
    }
  }
  const bool named = (architecture.rfind("sm_", 0) == 0 || architecture.rfind("compute_", 0) == 0);
  const int number = named ? std::atoi(architecture.c_str() + architecture.find('_') + 1) : 0;
  if (number >= 75 && number <= 130) return true;
  log = "nvrtc: error: invalid value for --gpu-architecture: " + architecture;
  return false;
}

nvrtcResult compile(Program& program, const std::string& flags, const std::string& architecture) {
  static const std::string command =
      LAMINA_EMULATION_CXX " -std=c++20 -O1 -w -fPIC -shared -fno-strict-aliasing -ffp-contract=off"
                           " " LAMINA_EMULATION_HEADERS;
  static const std::string words =
      read(LAMINA_EMULATION_FOLDER "/device.h") + read(LAMINA_EMULATION_FOLDER "/machine.hpp");
  const fs::path folder = cache_folder();
  const fs::path library = folder / (hash_of(command + flags + words + program.source) + ".so");
  if (!fs::exists(library)) {
    const std::string base = library.string() + "." + std::to_string(getpid());
    const std::string source = base + ".cpp", log = base + ".log", made = base + ".so";
    std::ofstream(source) << host_source(program.source);
    const int status =
        std::system((command + flags + " -o '" + made + "' '" + source + "' > '" + log + "' 2>&1").c_str());
    program.log = read(log);
    fs::remove(source);
    fs::remove(log);
    if (status != 0) return NVRTC_ERROR_COMPILATION;
    fs::rename(made, library);
  }
  const std::string code = read(library);
  program.module = module_mark + architecture + "\n" + std::to_string(code.size()) + "\n" + code;
  return NVRTC_SUCCESS;
}

void record(const std::string& source) {
  if (state().kernel_record.empty()) return;
  fs::create_directories(state().kernel_record);
  const fs::path path = fs::path(state().kernel_record) / (hash_of(source) + ".cu");
  if (!fs::exists(path)) write(path, source);
}

Program* program_of(nvrtcProgram handle) {
  const auto found = state().others.find(handle);
  if (found != state().others.end() && found->second == "a program of NVRTC") return reinterpret_cast<Program*>(handle);
  fault("not a program; destroyed?");
  return nullptr;
}

template <class Body> nvrtcResult compiler_call(const char* name, nvrtcProgram handle, Body body) {
  Call call(name);
  if (call.injected != 0) return nvrtcResult(call.injected);
  Program* program = program_of(handle);
  return program ? body(*program) : NVRTC_ERROR_INVALID_PROGRAM;
}

}  // namespace

std::string hash_of(const std::string& text) {
  unsigned long long hash = 14695981039346656037ull;  // FNV-1a
  for (const unsigned char byte : text) hash = (hash ^ byte) * 1099511628211ull;
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", hash);
  return digits;
}

}  // namespace emulation

using namespace emulation;

extern "C" {

const char* nvrtcGetErrorString(nvrtcResult result) {
  switch (result) {
  case NVRTC_SUCCESS: return "NVRTC_SUCCESS";
  case NVRTC_ERROR_INVALID_INPUT: return "NVRTC_ERROR_INVALID_INPUT";
  case NVRTC_ERROR_INVALID_PROGRAM: return "NVRTC_ERROR_INVALID_PROGRAM";
  case NVRTC_ERROR_INVALID_OPTION: return "NVRTC_ERROR_INVALID_OPTION";
  case NVRTC_ERROR_COMPILATION: return "NVRTC_ERROR_COMPILATION";
  case NVRTC_ERROR_OUT_OF_MEMORY: return "NVRTC_ERROR_OUT_OF_MEMORY";
  default: return "NVRTC_ERROR unknown";
  }
}

nvrtcResult nvrtcVersion(int* major, int* minor) {
  *major = CUDART_VERSION / 1000;
  *minor = CUDART_VERSION / 10 % 100;
  return NVRTC_SUCCESS;
}

nvrtcResult nvrtcCreateProgram(nvrtcProgram* result, const char* source, const char*, int headers, const char* const*,
                               const char* const*) {
  Call call("nvrtcCreateProgram");
  if (call.injected != 0) return nvrtcResult(call.injected);
  if (!result || !source || headers != 0) {
    fault("no source, or headers, which are not emulated");
    return NVRTC_ERROR_INVALID_INPUT;
  }
  auto* program = new Program{source, "", ""};
  *result = reinterpret_cast<nvrtcProgram>(program);
  state().others[program] = "a program of NVRTC";
  return NVRTC_SUCCESS;
}

nvrtcResult nvrtcDestroyProgram(nvrtcProgram* handle) {
  return compiler_call("nvrtcDestroyProgram", *handle, [&](Program& program) {
    state().others.erase(*handle);
    delete &program;
    *handle = nullptr;
    return NVRTC_SUCCESS;
  });
}

nvrtcResult nvrtcCompileProgram(nvrtcProgram handle, int count, const char* const* options) {
  return compiler_call("nvrtcCompileProgram", handle, [&](Program& program) {
    std::string architecture, flags;
    if (!read_options(count, options, architecture, flags, program.log)) {
      fault(program.log);
      return NVRTC_ERROR_INVALID_OPTION;
    }
    record(program.source);
    return compile(program, flags, architecture);
  });
}

nvrtcResult nvrtcGetProgramLogSize(nvrtcProgram handle, std::size_t* size) {
  return compiler_call("nvrtcGetProgramLogSize", handle, [&](Program& program) {
    *size = program.log.size() + 1;
    return NVRTC_SUCCESS;
  });
}
nvrtcResult nvrtcGetProgramLog(nvrtcProgram handle, char* log) {
  return compiler_call("nvrtcGetProgramLog", handle, [&](Program& program) {
    std::memcpy(log, program.log.c_str(), program.log.size() + 1);
    return NVRTC_SUCCESS;
  });
}

nvrtcResult nvrtcGetCUBINSize(nvrtcProgram handle, std::size_t* size) {
  return compiler_call("nvrtcGetCUBINSize", handle, [&](Program& program) {
    *size = program.module.rfind(std::string(module_mark) + "sm_", 0) == 0 ? program.module.size() : 0;
    return NVRTC_SUCCESS;
  });
}
nvrtcResult nvrtcGetCUBIN(nvrtcProgram handle, char* code) {
  return compiler_call("nvrtcGetCUBIN", handle, [&](Program& program) {
    if (program.module.empty()) fault("the program is not compiled");
    std::memcpy(code, program.module.data(), program.module.size());
    return NVRTC_SUCCESS;
  });
}
nvrtcResult nvrtcGetPTXSize(nvrtcProgram handle, std::size_t* size) {
  return compiler_call("nvrtcGetPTXSize", handle, [&](Program& program) {
    *size = program.module.size();
    return NVRTC_SUCCESS;
  });
}
nvrtcResult nvrtcGetPTX(nvrtcProgram handle, char* code) { return nvrtcGetCUBIN(handle, code); }

}  // extern "C"
