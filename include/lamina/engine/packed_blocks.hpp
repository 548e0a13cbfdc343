/// Packed weights that several plans of a model share.
#pragma once
#include "../core/list.hpp"
#include "step_values.hpp"

namespace lamina::calls {

/// A block for every step whose weights differ: what a step packs depends on its parameters and its method alone.
class PackedBlocks {
  struct Block {
    planning::Step step;
    Storage storage;
    std::uint64_t version;

    bool is_of(const planning::Step& other) const {
      for (int k = 0; k < 4; ++k)
        if (step.parameters[k] != other.parameters[k] || step.norm[k] != other.norm[k]) return false;
      return step.method == other.method && step.operation.index() == other.operation.index();
    }
  };
  detail::List<Block> blocks;

 public:
  /// The block of a step; pack(step, storage) fills an empty storage at the first time.
  template <class Pack> std::byte* of(const planning::Step& step, const ModelTensors& tensors, const Pack& pack) {
    for (const Block& block : blocks)
      if (block.is_of(step)) return block.storage.data();
    Block fresh{step, {}, version_of(step, tensors)};
    pack(step, fresh.storage);
    blocks.push_back(std::move(fresh));
    return blocks.back().storage.data();
  }
  /// The memory of all blocks, to read or to replace.
  std::vector<Storage*> storages() {
    std::vector<Storage*> list;
    for (Block& block : blocks) list.push_back(&block.storage);
    return list;
  }
  /// Calls pack(step, storage) for the blocks whose parameters were written since.
  template <class Pack> void refresh(const ModelTensors& tensors, const Pack& pack) {
    for (Block& block : blocks) {
      const std::uint64_t version = version_of(block.step, tensors);
      if (version == block.version) continue;
      pack(block.step, block.storage);
      block.version = version;
    }
  }
};

}  // namespace lamina::calls
