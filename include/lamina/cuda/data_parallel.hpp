/// DataParallel on GPUs: an engine on each, and a batch in pieces.
#pragma once
#include "../engine/call.hpp"
#include "../parallel/data_parallel.hpp"
#include "context.hpp"
#include "device_threads.hpp"

namespace lamina::gpu {

/// What the engine of one device is compiled for: the declared input with the number of items left open.
template <class Spec>
using piece_spec = Tensor<typename input_spec<Spec>::value_type,
                          parallel::detail::with_dyn_batch<typename input_spec<Spec>::shape_type>>;

/// The numbers of the GPUs. Throws device_error where one is none.
inline std::vector<int> numbers_of(const std::vector<Device>& devices) {
  std::vector<int> numbers;
  for (const Device& device : devices) {
    if (device.kind != Device::Kind::cuda)
      throw device_error(
          std::string((Text{} << "DataParallel: " << device << " is among the devices of engines of GPUs").view()));
    numbers.push_back(device.index);
  }
  if (numbers.empty()) throw device_error("DataParallel: there are no devices");
  return numbers;
}

/// An engine a device, called as one: dimension 0 of every input is cut as torch.chunk does, the engines compute their
/// pieces at the same time, each on a thread of its device, and their results are joined along dimension 0 into a
/// `Result`. It is on the first device if all inputs are on devices, and else on the host. With fewer items than
/// devices some have nothing to do. An `Engine` is called with tensors of its device whose number of items is dyn, and
/// returns a tensor or a tuple of tensors. Several threads may call it; they take turns on the devices.
template <class Result, class Engine> class Replicas {
  std::vector<int> devices_;
  mutable DeviceThreads threads;
  std::vector<std::optional<Engine>> engines;

 public:
  using result_type = Result;

  /// make(cuda) returns the engine of a device; it is called on the thread of that device, for all at the same time.
  template <class Make>
  Replicas(const std::vector<Device>& devices, const Make& make)
      : devices_(numbers_of(devices)), threads(devices_.size()), engines(devices_.size()) {
    threads.run(engines.size(), [&](int i) { engines[std::size_t(i)].emplace(make(cuda{devices_[std::size_t(i)]})); });
  }
  /// Engines go where they were made.
  ~Replicas() {
    threads.run(engines.size(), [&](int i) { engines[std::size_t(i)].reset(); });
  }

  template <class... X> Result operator()(const X&... x) const {
    static_assert((is_tensor<X> && ...), "lamina: engines of several devices are called with tensors");
    idx items = -1;
    (parallel::detail::count_items(items, x.dims()), ...);
    auto chunks = parallel::chunks(items, idx(engines.size()));
    if (chunks.empty()) chunks.push_back({});
    using Part = decltype((*engines[0])(piece(x, chunks[0], 0)...));
    std::vector<std::optional<Part>> parts(chunks.size());
    threads.run(parts.size(), [&](int number) {
      const std::size_t i = std::size_t(number);
      parts[i].emplace((*engines[i])(piece(x, chunks[i], devices_[i])...));
    });
    const bool on_device = (x.storage().memory() && ...);
    return parallel::gather<Result>(
        parts, [&](const lamina::detail::List<parallel::Piece>& pieces, std::size_t element, std::size_t bytes) {
          return on_device ? join_on_device(pieces, element, bytes) : join_on_host(pieces, element, bytes);
        });
  }

  /// Engines that can take over the parameters of `net` do so. No call may run meanwhile.
  template <class Net> void refresh(const Net& net) requires requires(Engine& engine) { engine.refresh(net); }
  {
    threads.run(engines.size(), [&](int i) { engines[std::size_t(i)]->refresh(net); });
  }

 private:
  template <class X> static auto piece(const X& x, const parallel::Chunk& chunk, int device) {
    return parallel::scatter(x, chunk, [&](std::size_t bytes) { return Context::of(device).allocate(bytes); });
  }
  /// Each thread brings its own piece.
  Storage join_on_host(const lamina::detail::List<parallel::Piece>& pieces, std::size_t element,
                       std::size_t bytes) const {
    Storage whole = Storage::uninitialized(bytes);
    threads.run(pieces.size(), [&](int i) { parallel::put(pieces[std::size_t(i)], element, whole); });
    return whole;
  }
  Storage join_on_device(const lamina::detail::List<parallel::Piece>& pieces, std::size_t element,
                         std::size_t bytes) const {
    Storage whole = Context::of(devices_[0]).allocate(bytes);
    for (const parallel::Piece& piece : pieces) parallel::put(piece, element, whole);
    return whole;
  }
};

/// Engines for the devices of a DataParallel net: compile_piece.operator()<piece_spec<Spec>...>(net.module(), cuda)
/// compiles the inner net for one of them.
template <class... Spec, class Net, class Compile>
auto compile_replicas(const DataParallel<Net>& net, const Compile& compile_piece) {
  const auto make = [&](cuda device) {
    return compile_piece.template operator()<piece_spec<Spec>...>(net.module(), device);
  };
  return Replicas<calls::results_of<Net, Spec...>, decltype(make(cuda{}))>(net.devices(), make);
}

}  // namespace lamina::gpu
