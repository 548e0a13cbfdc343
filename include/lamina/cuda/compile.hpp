/// compile<Shape<...>>(net, cuda{0}): the compiled model on a GPU; compile_replicas: on several.
#pragma once
#include "data_parallel.hpp"
#include "engine.hpp"
#include "nccl.hpp"

namespace lamina {

/// Compiles a model for inputs of these extents on a GPU (cuda/engine.hpp). The net may be on the host or on any GPU.
///   compile<Shape<1, 3, 224, 224>>(net, cuda{0})
///   compile<CompileOptions{.precision = Precision::float16}, Shape<dyn, 3, 224, 224>>(net, cuda{0})
template <CompileOptions Options, class... Spec, class Net>
gpu::Engine<Net, Options, Spec...> compile(const Net& net, cuda device) {
  return {net, device};
}
template <class... Spec, class Net> gpu::Engine<Net, CompileOptions{}, Spec...> compile(const Net& net, cuda device) {
  return {net, device};
}

namespace gpu::detail {
/// Extents of the first device's piece, of one item where their number is open.
template <class Spec> constexpr Dims first_piece(idx devices) {
  Dims dims = input_spec<Spec>::shape_type::dims;
  dims[0] = dims[0] == dyn ? 1 : (dims[0] + devices - 1) / devices;
  return dims;
}
}  // namespace gpu::detail

/// Compiles a DataParallel net for its GPUs: an engine on each, called as one on whole batches.
///   compile_replicas<Shape<32, 3, 224, 224>>(DataParallel<Net>(net, {cuda{0}, cuda{1}}))
/// Weights are packed once, sent to the first GPU, and broadcast from there by NCCL. Throws device_error unless all
/// devices are GPUs.
template <CompileOptions Options, class... Spec, class Net> auto compile_replicas(const DataParallel<Net>& net) {
  using Engine = gpu::Engine<Net, Options, gpu::piece_spec<Spec>...>;
  const std::vector<int> devices = gpu::numbers_of(net.devices());
  const gpu::Communicators group(devices);
  const Dims first[] = {gpu::detail::first_piece<Spec>(idx(devices.size()))...};
  std::vector<gpu::DeviceWeights> weights = gpu::replicate(Engine::pack(net.module(), cuda{devices[0]}, first), group);
  return gpu::compile_replicas<Spec...>(net, [&]<class... Piece>(const Net& module, cuda device) {
    for (gpu::DeviceWeights& packed : weights)
      if (packed.device() == device.index) return Engine(module, std::move(packed));
    return Engine(module, device);
  });
}
template <class... Spec, class Net> auto compile_replicas(const DataParallel<Net>& net) {
  return compile_replicas<CompileOptions{}, Spec...>(net);
}

}  // namespace lamina
