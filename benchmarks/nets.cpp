/// One net for one batch size behind a C interface, which engines.py calls. Meson compiles this file once for each:
/// LAMINA_NET is one of the structs of nets.hpp, LAMINA_BATCH the number of items, and LAMINA_OPTIONS what compile gets as
/// its CompileOptions, or LAMINA_EAGER is defined: the net itself is called.
#include "nets.hpp"
#include <cstring>
#include <utility>

namespace {

using namespace lamina;

using Net = benchmark_nets::LAMINA_NET::Net;
using Input = benchmark_nets::LAMINA_NET::Input<LAMINA_BATCH>;

#ifdef LAMINA_EAGER
struct Runner {
  Net net;
  void run(const void* const* inputs, void* const* outputs) const {
    const auto y = net(TensorView<const float, Input>(static_cast<const float*>(inputs[0])));
    std::memcpy(outputs[0], y.data(), std::size_t(y.size()) * sizeof(float));
  }
};
#else
using Runner = decltype(compile<CompileOptions LAMINA_OPTIONS, Input>(std::declval<const Net&>()));
#endif

}  // namespace

// An exception ends the program with its message: there is nobody to catch it on the other side.
#define LAMINA_EXPORT extern "C" __attribute__((visibility("default")))

/// The net with the weights of a file, for this many threads. It lives as long as the process.
LAMINA_EXPORT void* lamina_load(const char* weights, int threads) noexcept {
  set_num_threads(threads);
  Net net;
  load(net, weights);
  return new Runner(net);
}

/// y = net(x), both row-major.
LAMINA_EXPORT void lamina_run(const void* runner, const float* x, float* y) noexcept {
  const void* const inputs[] = {x};
  void* const outputs[] = {y};
  static_cast<const Runner*>(runner)->run(inputs, outputs);
}
