/// NVRTC: the source of kernels as the compiler of the host gets it.
#include "module.hpp"
#include <cctype>
#include <cstdlib>
#include <vector>

namespace emulation {
namespace {

struct Kernel {
  std::string name, bounds;
};

/// The functions that follow `__global__`, and the number of threads of their launch bounds.
std::vector<Kernel> kernels_in(const std::string& source) {
  std::vector<Kernel> kernels;
  const std::string mark = "__global__", bounds_mark = "__launch_bounds__";
  for (std::size_t at = 0; (at = source.find(mark, at)) != std::string::npos;) {
    at += mark.size();
    Kernel kernel{"", "0"};
    std::size_t open = source.find('(', at);
    if (const std::size_t bounds = source.find(bounds_mark, at); bounds < open) {
      kernel.bounds = std::to_string(std::strtoul(source.c_str() + open + 1, nullptr, 10));
      open = source.find('(', open + 1);
    }
    if (open == std::string::npos) break;
    std::size_t end = open;
    while (end > at && std::isspace(static_cast<unsigned char>(source[end - 1]))) --end;
    std::size_t begin = end;
    while (begin > at && (std::isalnum(static_cast<unsigned char>(source[begin - 1])) || source[begin - 1] == '_'))
      --begin;
    kernel.name = source.substr(begin, end - begin);
    kernels.push_back(std::move(kernel));
  }
  return kernels;
}

}  // namespace

std::string host_source(const std::string& source) {
  std::string text = "#include \"" LAMINA_EMULATION_FOLDER "/device.h\"\n#line 1 \"kernels.cu\"\n" + source + "\n";
  for (const auto& [name, bounds] : kernels_in(source)) {
    text += "extern \"C\" void " + name + "__call(void* const* values) { emulated::call(" + name + ", values); }\n";
    text += "extern \"C\" unsigned " + name + "__describe(emulated::Parameter* result) { return emulated::describe(" +
            name + ", result); }\n";
    text += "extern \"C\" { extern const unsigned " + name + "__bounds = " + bounds + "; }\n";
  }
  return text;
}

}  // namespace emulation
