/// Single layers of ResNet-50 against what one core can do:
///
/// - GFLOP/s: two for every multiply-add of the layer's definition; Winograd needs fewer, so it may pass the peak;
/// - peak: share of the measured peak;
/// - roof: share of the roofline min(peak, bandwidth * intensity). The intensity is the layer's operations a byte of
///   its input, weights and output; the bandwidth is that of reading so many bytes again and again.
///
/// Each layer is a compiled model on one thread, tensors in and out as users hand them over: where a kernel wants
/// another layout than that, the time to change it counts.
#include "machine.hpp"
#include <algorithm>
#include <lamina.hpp>
#include <lamina/backend/cpu/peak.hpp>
#include <string>
#include <utility>

namespace {

using namespace lamina;

double peak;

/// Numbers in [-0.1, 0.1), the same at every run.
void fill(std::span<float> values) {
  std::uint32_t state = 1;
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = (float(state >> 8) * 0x1p-24f - 0.5f) * 0.2f;
  }
}

template <class Layer, class Input> void run_layer(benchmark::State& state) {
  using Net = Sequential<Layer>;
  Net net;
  std::size_t floats = 0;
  for_each_stored(net, [&](const Path&, auto& parameter) {
    fill(parameter.span());
    floats += parameter.span().size();
  });
  auto compiled = compile<Input>(net);
  Tensor<float, Input> x;
  Tensor<float, output_shape<Net, Input>> y;
  fill(x.span());
  const void* const inputs[] = {x.data()};
  void* const outputs[] = {y.data()};

  const double start = machine::seconds();
  for (auto _ : state) {
    compiled.run(inputs, outputs);
    benchmark::ClobberMemory();
  }
  const double seconds = (machine::seconds() - start) / double(state.iterations());

  const double operations = 2.0 * double(macs<Net, Input>);
  const std::size_t bytes = (floats + x.span().size() + y.span().size()) * sizeof(float);
  const double roof = std::min(peak, machine::bandwidth(bytes) * operations / double(bytes));
  state.counters["GFLOP/s"] = operations / seconds / 1e9;
  state.counters["peak"] = operations / seconds / peak;
  state.counters["roof"] = operations / seconds / roof;
}

template <int In, int Out, int Kernel, int Size, int Stride = 1> void add_conv(const char* name) {
  using Layer = Conv2d<In, Out, conv{.kernel_size = Kernel, .stride = Stride, .padding = Kernel / 2, .bias = false}>;
  benchmark::RegisterBenchmark(name, run_layer<Layer, Shape<1, In, Size, Size>>)->Unit(benchmark::kMicrosecond);
}

}  // namespace

int main(int argc, char** argv) {
  set_num_threads(1);
  peak = 1e9 * host::measure_peak(1);
  benchmark::AddCustomContext("peak GFLOP/s", std::to_string(peak / 1e9));
  add_conv<3, 64, 7, 224, 2>("7x7/2 3->64 224x224");
  add_conv<64, 256, 1, 56>("1x1 64->256 56x56");
  add_conv<64, 64, 3, 56>("3x3 64->64 56x56");
  add_conv<128, 128, 3, 28>("3x3 128->128 28x28");
  add_conv<1024, 256, 1, 14>("1x1 1024->256 14x14");
  add_conv<256, 256, 3, 14>("3x3 256->256 14x14");
  add_conv<512, 512, 3, 7>("3x3 512->512 7x7");
  benchmark::RegisterBenchmark("fc 2048->1000", run_layer<Linear<2048, 1000>, Shape<1, 2048>>)
      ->Unit(benchmark::kMicrosecond);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
