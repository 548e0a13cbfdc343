/// cuDNN: an execution plan becomes work of a stream.
#include "descriptor.hpp"
#include "state.hpp"
#include <cstdint>

namespace emulation {
namespace {

bool overlap(const Access& a, const Access& b) {
  const char *first = static_cast<const char*>(a.at), *second = static_cast<const char*>(b.at);
  return first < second + b.bytes && second < first + a.bytes;
}

/// Finds the memory of a graph's tensors.
class Binding {
  const Descriptor& graph_;
  int device_;
  std::map<std::int64_t, void*> pointers_;
  std::map<std::int64_t, Access> accesses_;  // of the tensors so far
  std::set<std::int64_t> gathered_;          // of which one result needs more than the element at its place

 public:
  Binding(const Descriptor& graph, int device) : graph_(graph), device_(device) {
    const Descriptor& first = *operations()[0];
    if (first.type == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR) return;
    for (const Descriptor* tensor : operands_of(first).reads) gathered_.insert(shape_of(*tensor).uid);
  }

  const std::map<std::int64_t, void*>& pointers() const { return pointers_; }
  std::vector<Access> accesses() const {
    std::vector<Access> all;
    for (const auto& [uid, access] : accesses_) all.push_back(access);
    return all;
  }

  Verdict bind(const Descriptor& pack) {
    const auto uids = pack.all<std::int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
    const auto given = pack.all<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
    for (std::size_t i = 0; i < uids.size(); ++i)
      if (!pointers_.emplace(uids[i], given[i]).second)
        return bad("tensor " + std::to_string(uids[i]) + " has two pointers");
    for (const auto& operation : operations()) {
      const Operands operands = operands_of(*operation);
      for (const Descriptor* tensor : operands.reads)
        if (const Verdict verdict = bind_tensor(shape_of(*tensor), false); !verdict.ok()) return verdict;
      if (const Verdict verdict = bind_tensor(shape_of(*operands.writes), true); !verdict.ok()) return verdict;
    }
    for (const auto& [uid, pointer] : pointers_)
      if (accesses_.count(uid) == 0) return bad("there is no tensor " + std::to_string(uid) + " in memory");
    return {};
  }

 private:
  const std::vector<std::shared_ptr<Descriptor>>& operations() const {
    return graph_.children(CUDNN_ATTR_OPERATIONGRAPH_OPS);
  }

  Verdict bind_tensor(const TensorShape& shape, bool writes) {
    if (shape.is_virtual) return {};
    const std::string name = "tensor " + std::to_string(shape.uid);
    const auto found = pointers_.find(shape.uid);
    if (found == pointers_.end()) return bad(name + " has no pointer");
    const void* at = found->second;
    if (reinterpret_cast<std::uintptr_t>(at) % std::uintptr_t(shape.alignment) != 0)
      return {CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER,
              name + " is not aligned to " + std::to_string(shape.alignment) + " bytes"};
    if (device_of(at) >= 0 && device_of(at) != device_) return bad(name + " is memory of another device");
    const Access access{at, std::size_t(shape.bytes()), writes};
    if (const std::string wrong = wrong_with(access); !wrong.empty()) return bad(name + ": " + wrong);
    const auto [own, is_new] = accesses_.emplace(shape.uid, access);
    own->second.writes = own->second.writes || writes;
    return writes ? check_overlap(shape.uid, access) : Verdict{};
  }

  /// A result may take the place of an operand of which each element of the result needs just its own.
  Verdict check_overlap(std::int64_t uid, const Access& result) const {
    for (const auto& [other, access] : accesses_) {
      const bool in_place = access.at == result.at && access.bytes == result.bytes && gathered_.count(other) == 0;
      if (other != uid && overlap(access, result) && !in_place)
        return bad("tensor " + std::to_string(uid) + " overlaps tensor " + std::to_string(other));
    }
    return {};
  }
};

}  // namespace

Verdict execute(const Handle& handle, const std::shared_ptr<Descriptor>& plan, const Descriptor& pack) {
  if (handle.device != current_device()) return bad("the handle is of a device that is not the current one");
  if (!handle.stream) return bad("the handle has no stream: it would be the NULL stream");
  if (device_key(plan->device) != device_key(device_json(handle.device))) return bad("the plan is for another device");
  const Descriptor& graph = planned_graph(*plan);
  Binding binding(graph, handle.device);
  if (const Verdict verdict = binding.bind(pack); !verdict.ok()) return verdict;
  Work work{"cuDNN graph", binding.accesses(), {}};
  const Access workspace{pack.get<const void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE), std::size_t(plan->workspace), true};
  if (plan->workspace > 0) {
    if (device_of(workspace.at) != handle.device) return bad("the workspace is not memory of the device");
    if (const std::string wrong = wrong_with(workspace); !wrong.empty()) return bad("workspace: " + wrong);
    for (const Access& access : work.accesses)
      if (overlap(access, workspace)) return bad("the workspace overlaps a tensor");
    work.accesses.push_back(workspace);
  }
  const bool is_float =
      shape_of(*operands_of(*graph.children(CUDNN_ATTR_OPERATIONGRAPH_OPS)[0]).reads[0]).type == CUDNN_DATA_FLOAT;
  const bool round = is_float && plan->engine.has(CUDNN_NUMERICAL_NOTE_TENSOR_CORE);
  work.run = [=, pointers = binding.pointers()] {
    if (workspace.bytes > 0) std::memset(alias_of(workspace.at), 0xFF, workspace.bytes);
    std::map<std::int64_t, char*> memory;
    for (const auto& [uid, pointer] : pointers) memory[uid] = alias_of(pointer);
    interpret(planned_graph(*plan), memory, round);
  };
  return enqueue(handle.stream, std::move(work)) == cudaSuccess
             ? Verdict{}
             : Verdict{CUDNN_STATUS_EXECUTION_FAILED, "not enqueued"};
}

}  // namespace emulation
