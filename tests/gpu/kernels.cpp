/// Kernels under the real NVRTC, which needs no GPU: each operation's for four architectures.   gpu_kernels_tests
#include "kernel_calls.hpp"
#include "local_memory.hpp"
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <lamina/cuda/nvrtc.hpp>

using namespace kernel_test;
using Catch::Matchers::ContainsSubstring;

namespace {
const int architectures[] = {80, 90, 100, 120};

/// Every case in float16, and in one of the other forms.
struct Compiled {
  std::string title;
  bool elementwise = false;
  gpu::Kernel kernel{};
};
std::vector<Compiled> all_cases() {
  std::vector<Compiled> list;
  const int other_forms[] = {0, 2, 3, 4, 5};
  std::size_t number = 0;
  for (const Case& c : cases())
    for (const int form : {1, other_forms[number++ % 5]}) {
      const Form& f = forms()[std::size_t(form)];
      const bool elementwise =
          is<ops::Activation>(c.operation) || is<ops::Binary>(c.operation) || is<ops::Copy>(c.operation);
      list.push_back({title(c, f), elementwise, gpu::kernel_of(Call(c, f).call)});
    }
  return list;
}
}  // namespace

TEST_CASE("kernels compile for every architecture, without local memory for arrays") {
  const std::vector<Compiled> list = all_cases();
  std::vector<gpu::Kernel> kernels;
  for (const Compiled& c : list) kernels.push_back(c.kernel);
  const std::string program = gpu::program_of(kernels);
  for (const int architecture : architectures) {
    const gpu::Cubin cubin = gpu::compile_cubin(program, architecture, say_local_memory);
    CHECK(cubin.log.find("warning") == std::string::npos);
    const std::map<std::string, int> local = local_memory_in(cubin.log);
    for (const Compiled& c : list) {
      INFO(c.title << ", sm_" << architecture << ": " << c.kernel.name);
      REQUIRE(local.count(c.kernel.name) == 1);
      CHECK(local.at(c.kernel.name) <= (c.elementwise ? 0 : most_local_memory));
    }
  }
}

TEST_CASE("a source that does not compile is refused with the compiler's log") {
  try {
    gpu::compile_cubin("__global__ void k(float* y) { *y = undefined; }", 90);
    FAIL("it compiled");
  } catch (const gpu::nvrtc_error& e) {
    CHECK_THAT(e.log, ContainsSubstring("identifier \"undefined\" is undefined"));
    CHECK_THAT(e.what(), ContainsSubstring("nvrtcCompileProgram") && ContainsSubstring(e.log));
    CHECK_THAT(e.source, ContainsSubstring("__global__"));
  }
  CHECK_THROWS_AS(gpu::compile_cubin("", 7), gpu::nvrtc_error);
}

TEST_CASE("equal calls make equal kernels, others other ones") {
  const gpu::KernelTensor x{{2, 8}}, y{{2, 16}};
  const auto kernel = [](const gpu::KernelTensor& t, float slope) {
    return gpu::kernel_of({.operation = ops::Activation{ops::Activation::Kind::leaky_relu, slope},
                           .operands = &t,
                           .operand_count = 1,
                           .out = t});
  };
  CHECK(kernel(x, 0.1f).name == kernel(x, 0.1f).name);
  CHECK(kernel(x, 0.1f).source == kernel(x, 0.1f).source);
  CHECK(kernel(x, 0.1f).name != kernel(y, 0.1f).name);
  CHECK(kernel(x, 0.1f).name != kernel(x, 0.2f).name);
  CHECK(gpu::program_of({kernel(x, 0.1f), kernel(x, 0.1f)}) == gpu::program_of({kernel(x, 0.1f)}));
}

TEST_CASE("what kernels do not know is refused by name") {
  const auto copy = [](const gpu::KernelTensor& x) {
    return gpu::kernel_of({.operation = ops::Copy{}, .operands = &x, .operand_count = 1, .out = {x.dims}});
  };
  CHECK_THROWS_WITH(copy({{3}, Dtype::float64}), ContainsSubstring("float64"));
  CHECK_THROWS_WITH(copy({{1, 16, 2, 2}, Dtype::float32, Layout::blocked}), ContainsSubstring("blocked"));
  CHECK_THROWS_WITH(gpu::kernel_of({.operation = ops::ParameterValue{}, .out = {{1}}}), ContainsSubstring("parameter"));
}

TEST_CASE("results without elements need a kernel that does nothing") {
  for (const Case& c : cases()) {
    if (c.operands[0].rank == 0) continue;
    Case empty = c;
    for (Dims& dims : empty.operands) dims[0] = 0;
    const Call call(empty, forms()[1]);
    if (count(call.call.out.dims) == 0) CHECK(gpu::kernel_of(call.call).blocks == 1);
  }
}
