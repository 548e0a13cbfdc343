/// The golden forwards on GPUs: float32, and 16 bits as close as these can be.
#pragma once
#include "golden/golden.hpp"
#include <lamina/cuda.hpp>

namespace golden {

/// compile<Shape>(net, cuda{0})(x): a call task by task, and one as recorded work.
template <lamina::CompileOptions Options, class Net, class... Spec>
void check_on_gpu(const Net& net, const Reference& reference, double tolerance) {
  std::apply(
      [&](const auto&... x) {
        auto engine = lamina::compile<Options, Spec...>(net, lamina::cuda{0});
        check_results(reference, tolerance, engine(x...));
        check_results(reference, tolerance, engine(x...));
      },
      inputs<Spec...>(reference));
}
template <class Net, class... Spec> void check_gpu(const char* weights, const char* io, double tolerance) {
  const Reference reference(io);
  const Net net = loaded<Net>(weights);
  check_on_gpu<lamina::CompileOptions{}, Net, Spec...>(net, reference, tolerance);
  check_on_gpu<lamina::CompileOptions{.precision = lamina::Precision::float16}, Net, Spec...>(net, reference, 1e-2);
}

}  // namespace golden
