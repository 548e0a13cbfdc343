/// to(x, device): tensors and models from the host to a GPU, back, and from one GPU to another.
#pragma once
#include "../reflect/stored.hpp"
#include "../tensor/perform.hpp"
#include "context.hpp"

namespace lamina {

namespace gpu {
inline bool is_on(const Storage& storage, const Device& device) {
  return device.kind == Device::Kind::cpu ? !storage.memory() : storage.device() == device;
}
/// The same bytes on a device: a share if they are there, or else a copy.
[[gnu::noinline]] inline Storage placed(const Storage& storage, const Device& device) {
  if (!storage || is_on(storage, device)) return storage;
  Storage copy = device.kind == Device::Kind::cpu ? Storage::uninitialized(storage.bytes())
                                                  : Context::of(device.index).allocate(storage.bytes());
  Storage::copy_bytes(copy, 0, storage, 0, storage.bytes());
  copy.written();
  return copy;
}

/// Gives the model of `to` what the model of `from` stores, on a device; `to` is the same model, or a copy of it.
/// Parameters that share memory still do. On an exception nothing has changed.
[[gnu::noinline]] inline void place(const std::vector<StoredTensor<const Storage*>>& from,
                                    const std::vector<StoredTensor<Storage*>>& to, const Device& device) {
  std::vector<Storage> result;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const Storage& storage = *from[i].storage;
    std::size_t twin = 0;
    while (twin < i && !(storage.data() && from[twin].storage->data() == storage.data())) ++twin;
    if (twin < i) result.push_back(result[twin]);
    else result.push_back(is_on(storage, device) ? *to[i].storage : placed(storage, device));
  }
  for (std::size_t i = 0; i < to.size(); ++i) *to[i].storage = std::move(result[i]);
}
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
  if constexpr (std::is_same_v<Net, std::remove_cvref_t<Net>>) {
    gpu::place(stored_tensors(std::as_const(net)), stored_tensors(net), device);
    return std::move(net);
  } else {
    auto copy = net;
    gpu::place(stored_tensors(std::as_const(net)), stored_tensors(copy), device);
    return copy;
  }
}

}  // namespace lamina
