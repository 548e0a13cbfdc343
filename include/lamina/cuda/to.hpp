/// to(x, device): tensors and models from the host to a GPU, back, and from one GPU to another.
#pragma once
#include "../core/list.hpp"
#include "../reflect/stored.hpp"
#include "../tensor/perform.hpp"
#include "evaluate.hpp"

namespace lamina {

namespace gpu {
inline bool is_on(const Storage& storage, const Device& device) {
  return device.kind == Device::Kind::cpu ? !storage.memory() : storage.device() == device;
}
/// The same bytes on a device: a share if they are there, or else a copy.
[[gnu::noinline]] inline Storage placed(const Storage& storage, const Device& device) {
  if (!storage || is_on(storage, device)) return storage;
  StreamMemory::evaluate_by(evaluate);
  Storage copy = device.kind == Device::Kind::cpu ? Storage::uninitialized(storage.bytes())
                                                  : Context::of(device.index).allocate(storage.bytes());
  Storage::copy_bytes(copy, 0, storage, 0, storage.bytes());
  copy.written();
  return copy;
}

/// A copy of the bytes on a device, also where they are there already.
inline Storage copied(const Storage& storage, const Device& device) {
  return is_on(storage, device) ? storage.clone() : placed(storage, device);
}

/// The blocks of memory of a model, each once, and the number of the block of each tensor: parameters may share one.
struct Blocks {
  std::vector<Storage> storages;
  std::vector<std::size_t> number;

  template <class List> explicit Blocks(const List& tensors) {
    for (const auto& tensor : tensors) {
      const Storage& storage = *tensor.storage;
      std::size_t n = 0;
      while (n < storages.size() && !(storage.data() && storages[n].data() == storage.data())) ++n;
      if (n == storages.size()) storages.push_back(storage);
      number.push_back(n);
    }
  }
  void give_to(const StoredTensors<Storage*>& tensors) const {
    for (std::size_t i = 0; i < tensors.size(); ++i) *tensors[i].storage = storages[number[i]];
  }
};
}  // namespace gpu

/// The tensor on a device: `to(x, cuda{0})`, `to(x, cpu{})`. It shares the elements if they are there. What is pending
/// is computed first. PyTorch: x.to(device).
template <operand X> auto to(X&& x, const Device& device) {
  auto tensor = materialise(std::forward<X>(x));
  return decltype(tensor)(gpu::placed(tensor.storage(), device), tensor.dims());
}

/// The model with its parameters and buffers on a device. A model that is given away moves: `net = to(std::move(net),
/// cuda{0})`; of one that stays a copy is made. Throws as the runtime of the device does, and then the model is what it
/// was. PyTorch: net.to(device).
template <class Net>
requires module<std::remove_cvref_t<Net>> std::remove_cvref_t<Net> to(Net&& net, const Device& device) {
  constexpr bool moves = std::is_same_v<Net, std::remove_cvref_t<Net>>;
  gpu::Blocks blocks(stored_tensors(std::as_const(net)));
  for (Storage& block : blocks.storages) block = moves ? gpu::placed(block, device) : gpu::copied(block, device);
  if constexpr (moves) {
    blocks.give_to(stored_tensors(net));
    return std::move(net);
  } else {
    auto copy = net;
    blocks.give_to(stored_tensors(copy));
    return copy;
  }
}

}  // namespace lamina
