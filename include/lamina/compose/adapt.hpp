/// The weights of a model in another one.
#pragma once
#include "../reflect/stored.hpp"

namespace lamina {

/// An `Other` with every parameter and buffer of `net` whose key, shape and element type agree, moved over, where
/// `replace` cannot rebuild a class. The rest of Other is as it is made: without values.
///   auto wide = adapt<WideNet>(std::move(net));
/// PyTorch: other.load_state_dict(net.state_dict(), strict=False), which refuses shapes that differ.
template <class Other, class M>
requires module<Other> && module<std::remove_cvref_t<M>> Other adapt(M&& net) {
  static_assert(std::is_same_v<M, std::remove_cvref_t<M>>,
                "lamina: adapt takes the weights out of the model: adapt<Other>(std::move(net))");
  Other other;
  const StoredTensors<Storage*> from = stored_tensors(net);
  std::size_t at = 0;  // keys come in almost the same order, so a search goes on from the last hit
  for (StoredTensor<Storage*>& target : stored_tensors(other))
    for (std::size_t tried = 0; tried < from.size(); ++tried, at = at + 1 == from.size() ? 0 : at + 1)
      if (from[at].path == target.path) {
        if (from[at].dims == target.dims && from[at].dtype == target.dtype)
          *target.storage = std::move(*from[at].storage);
        break;
      }
  return other;
}

}  // namespace lamina
