/// cuDNN: an execution plan becomes work of a stream.
#include "descriptor.hpp"
#include "state.hpp"
#include <algorithm>

namespace emulation {
namespace {

bool overlap(const Access& a, const Access& b) {
  const char *first = static_cast<const char*>(a.at), *second = static_cast<const char*>(b.at);
  return first < second + b.bytes && second < first + a.bytes;
}

/// Tensors by number, with what of memory they are; results must be apart from what is read at other places.
Verdict bind(const Descriptor& graph, const Descriptor& pack, std::map<std::int64_t, void*>& pointers, std::vector<Access>& accesses,
             int device) {
  const auto uids = pack.all<std::int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
  const auto given = pack.all<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
  for (std::size_t i = 0; i < uids.size(); ++i)
    if (!pointers.emplace(uids[i], given[i]).second) return bad("tensor " + std::to_string(uids[i]) + " has two pointers");
  std::map<std::int64_t, Access> seen;
  for (const auto& operation : graph.children(CUDNN_ATTR_OPERATIONGRAPH_OPS)) {
    const Operands operands = operands_of(*operation);
    std::vector<std::pair<const Descriptor*, bool>> used;
    for (const Descriptor* tensor : operands.reads) used.emplace_back(tensor, false);
    used.emplace_back(operands.writes, true);
    for (const auto& [tensor, writes] : used) {
      const TensorShape shape = shape_of(*tensor);
      if (shape.is_virtual) continue;
      const std::string name = "tensor " + std::to_string(shape.uid);
      if (pointers.count(shape.uid) == 0) return bad(name + " has no pointer");
      const void* at = pointers[shape.uid];
      if (reinterpret_cast<std::uintptr_t>(at) % std::uintptr_t(shape.alignment) != 0)
        return {CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER, name + " is not aligned to " + std::to_string(shape.alignment) + " bytes"};
      if (device_of(at) >= 0 && device_of(at) != device) return bad(name + " is memory of another device");
      const Access access{at, std::size_t(shape.bytes()), writes};
      if (const std::string wrong = wrong_with(access); !wrong.empty()) return bad(name + ": " + wrong);
      seen.emplace(shape.uid, access);
      if (!writes) continue;
      for (const auto& [uid, other] : seen) {
        const bool in_place = operation->type == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR && other.at == at && other.bytes == access.bytes;
        const bool of_products = !graph.children(CUDNN_ATTR_OPERATIONGRAPH_OPS)[0]->has(CUDNN_ATTR_OPERATION_POINTWISE_XDESC) &&
                                 std::any_of(operands_of(*graph.children(CUDNN_ATTR_OPERATIONGRAPH_OPS)[0]).reads.begin(),
                                             operands_of(*graph.children(CUDNN_ATTR_OPERATIONGRAPH_OPS)[0]).reads.end(),
                                             [&](const Descriptor* one) { return shape_of(*one).uid == uid; });
        if (uid != shape.uid && overlap(access, other) && (!in_place || of_products))
          return bad(name + " overlaps tensor " + std::to_string(uid));
      }
    }
  }
  for (const auto& [uid, pointer] : pointers)
    if (seen.count(uid) == 0) return bad("there is no tensor " + std::to_string(uid) + " in memory");
  for (const auto& [uid, access] : seen) accesses.push_back(access);
  return {};
}

}  // namespace

Verdict execute(const Handle& handle, const std::shared_ptr<Descriptor>& plan, const Descriptor& pack) {
  if (handle.device != current_device()) return bad("the handle is of a device that is not the current one");
  if (!handle.stream) return bad("the handle has no stream: it would be the NULL stream");
  if (device_key(plan->device) != device_key(device_json(handle.device))) return bad("the plan is for another device");
  const Descriptor& graph = planned_graph(*plan);
  std::map<std::int64_t, void*> pointers;
  Work work{"cuDNN graph", {}, {}};
  if (const Verdict verdict = bind(graph, pack, pointers, work.accesses, handle.device); !verdict.ok()) return verdict;
  const Access workspace{pack.get<const void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE), std::size_t(plan->workspace), true};
  if (plan->workspace > 0) {
    if (device_of(workspace.at) != handle.device) return bad("the workspace is not memory of the device");
    if (const std::string wrong = wrong_with(workspace); !wrong.empty()) return bad("workspace: " + wrong);
    for (const Access& access : work.accesses)
      if (overlap(access, workspace)) return bad("the workspace overlaps a tensor");
    work.accesses.push_back(workspace);
  }
  const bool is_float = shape_of(*operands_of(*graph.children(CUDNN_ATTR_OPERATIONGRAPH_OPS)[0]).reads[0]).type == CUDNN_DATA_FLOAT;
  const bool round = is_float && plan->engine.has(CUDNN_NUMERICAL_NOTE_TENSOR_CORE);
  work.run = [=] {
    if (workspace.bytes > 0) std::memset(alias_of(workspace.at), 0xFF, workspace.bytes);
    std::map<std::int64_t, char*> memory;
    for (const auto& [uid, pointer] : pointers) memory[uid] = alias_of(pointer);
    interpret(planned_graph(*plan), memory, round);
  };
  return enqueue(handle.stream, std::move(work)) == cudaSuccess ? Verdict{} : Verdict{CUDNN_STATUS_EXECUTION_FAILED, "not enqueued"};
}

}  // namespace emulation
