/// One net on a GPU behind a C interface, which gpu.py calls: any number of items, in each precision. Meson compiles this
/// file once for each struct of nets.hpp, LAMINA_NET.
#include "nets.hpp"
#include <cstring>
#include <lamina/cuda.hpp>
#include <memory>

namespace {

using namespace lamina;

using Net = benchmark_nets::LAMINA_NET::Net;
using Input = benchmark_nets::LAMINA_NET::Input<dyn>;

/// An engine and what it was called with.
struct Runner {
  virtual void put(const float* x, idx items) = 0;  ///< the input for calls there
  virtual void call_there() = 0;
  virtual void call(const float* x, idx items) = 0;  ///< from the host and back
  virtual void get(float* y) const = 0;              ///< the result of the last call
  virtual ~Runner() = default;
};

template <Precision P> class RunnerIn final : public Runner {
  using Engine = decltype(compile<CompileOptions{.precision = P}, Input>(std::declval<const Net&>(), cuda{0}));
  Engine engine;
  Tensor<float, Input> there{};
  typename Engine::result_type result{};

  static Dims dims(idx items) {
    Dims d = Input::dims;
    d[0] = items;
    return d;
  }

 public:
  explicit RunnerIn(const Net& net) : engine(net, cuda{0}) {}
  void put(const float* x, idx items) override {
    Tensor<float, Input> here(dims(items));
    std::memcpy(here.data(), x, std::size_t(here.size()) * sizeof(float));
    there = to(here, cuda{0});
    engine.warm_up({dims(items)});
  }
  void call_there() override {
    result = engine(there);
    gpu::Context::of(0).synchronize();
  }
  void call(const float* x, idx items) override { result = engine(TensorView<const float, Input>(x, dims(items))); }
  void get(float* y) const override {
    const auto here = to(result, cpu{});
    std::memcpy(y, here.data(), std::size_t(here.size()) * sizeof(float));
  }
};

}  // namespace

// An exception ends the program with its message: there is nobody to catch it on the other side.
#define LAMINA_EXPORT extern "C" __attribute__((visibility("default")))

/// The net with the weights of a file, in a precision of PyTorch's words. It lives as long as the process.
LAMINA_EXPORT void* lamina_load(const char* weights, const char* precision) noexcept {
  Net net;
  load(net, weights);
  const std::string_view name = precision;
  if (name == "float16") return new RunnerIn<Precision::float16>(net);
  if (name == "tensorfloat32") return new RunnerIn<Precision::tensorfloat32>(net);
  return new RunnerIn<Precision::float32>(net);
}
LAMINA_EXPORT void lamina_put(Runner* runner, const float* x, idx items) noexcept { runner->put(x, items); }
LAMINA_EXPORT void lamina_call_there(Runner* runner) noexcept { runner->call_there(); }
LAMINA_EXPORT void lamina_call(Runner* runner, const float* x, idx items) noexcept { runner->call(x, items); }
LAMINA_EXPORT void lamina_get(const Runner* runner, float* y) noexcept { runner->get(y); }
