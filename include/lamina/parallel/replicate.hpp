/// torch.nn.parallel.replicate: a model once for each device.
#pragma once
#include "../reflect/stored.hpp"

namespace lamina::parallel {

/// Makes a replica on the host of what a model stores: it shares the parameters' memory, which a forward only reads,
/// and has buffers of its own, so that what a forward notes in them stays the replica's.
[[gnu::noinline]] inline void replicate(const StoredTensors<const Storage*>& model,
                                        const StoredTensors<Storage*>& replica) {
  for (std::size_t i = 0; i < model.size(); ++i) {
    const Storage& source = *model[i].storage;
    *replica[i].storage = model[i].buffer ? source.clone() : source;
  }
}

}  // namespace lamina::parallel
