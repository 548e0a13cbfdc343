/// The packed weights of a model on a GPU.
#pragma once
#include "../backend/cuda/pack.hpp"
#include "../engine/packed_blocks.hpp"
#include "context.hpp"

namespace lamina::gpu {

/// Blocks that all plans of an engine share. They are packed on the host and sent once.
class DeviceWeights {
  int device_;
  CompileOptions options;
  calls::PackedBlocks blocks{};

 public:
  DeviceWeights(int device, const CompileOptions& o) : device_(device), options(o) {}

  int device() const { return device_; }

  /// The block of each step of a plan, null for steps without parameters. `tensors` may be on any device.
  std::vector<std::byte*> of(const planning::Plan& plan, const calls::ModelTensors& tensors) {
    std::vector<std::byte*> list;
    for (const planning::Step& step : plan.steps)
      list.push_back(step.weight_floats == 0 ? nullptr
                                             : blocks.of(step, tensors, [&](const planning::Step& s, Storage& block) {
                                                 send(s, tensors, block);
                                               }));
    // Calls on other threads do not wait for this thread's stream.
    Context::of(device_).synchronize();
    return list;
  }
  /// Blocks of the same sizes on another device, whose bytes are written before they are read.
  DeviceWeights similar(int device) const {
    DeviceWeights weights(*this);
    weights.device_ = device;
    for (Storage* const block : weights.blocks.storages()) *block = Context::of(device).allocate(block->bytes());
    return weights;
  }
  /// The memory of all blocks.
  std::vector<Storage> storages() {
    std::vector<Storage> list;
    for (Storage* const block : blocks.storages()) list.push_back(*block);
    return list;
  }
  /// Packs again what was written since. All calls have ended.
  void refresh(const calls::ModelTensors& tensors) {
    blocks.refresh(tensors, [&](const planning::Step& step, Storage& block) { send(step, tensors, block); });
    Context::of(device_).synchronize();
  }

 private:
  void send(const planning::Step& step, const calls::ModelTensors& tensors, Storage& block) const {
    const std::vector<std::byte> packed = pack(step, tensors);
    if (!block) block = Context::of(device_).allocate(packed.size());
    block.memory()->copy_from_host(block.data(), packed.data(), packed.size());
  }
  std::vector<std::byte> pack(const planning::Step& step, const calls::ModelTensors& tensors) const {
    std::vector<std::byte> packed(std::size_t(step.weight_floats) * sizeof(float));
    const auto at = [&](int k) { return packed.data() + std::size_t(step.packed[k]) * sizeof(float); };
    if (role_of(step.operation) == ops::Role::producer) {
      const calls::ProducerValues values(step, tensors);
      pack_producer(step.operation, values.weights(), weight_type(step, options), at(0),
                    reinterpret_cast<float*>(at(1)));
      return packed;
    }
    for (int k = 0; k < 4; ++k) {
      const calls::FloatValues values(tensors, step.parameters[k]);
      if (!values) continue;
      const idx size = count(tensors[std::size_t(step.parameters[k])].dims);
      std::memcpy(at(k), static_cast<const float*>(values), std::size_t(size) * sizeof(float));
    }
    return packed;
  }
};

}  // namespace lamina::gpu
