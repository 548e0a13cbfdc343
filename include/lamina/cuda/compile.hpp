/// compile<Shape<...>>(net, cuda{0}): the compiled model on a GPU, or on several.
#pragma once
#include "data_parallel.hpp"
#include "engine.hpp"

namespace lamina {

/// Compiles a model for inputs of these extents on a GPU. The net may be on the host or on any GPU.
///   compile<Shape<1, 3, 224, 224>>(net, cuda{0})
///   compile<CompileOptions{.precision = Precision::float16}, Shape<dyn, 3, 224, 224>>(net, cuda{0})
/// With a DataParallel net of GPUs: an engine on each of them, called as one: `compile<Shape<32, 3, 224, 224>>(several)`.
template <CompileOptions Options, class... Spec, class Net> auto compile(const Net& net, cuda device) {
  return gpu::Engine<Net, Options, Spec...>(net, device);
}
template <class... Spec, class Net> auto compile(const Net& net, cuda device) {
  return gpu::Engine<Net, CompileOptions{}, Spec...>(net, device);
}

}  // namespace lamina
