/// What cuDNN runs: an operation graph, compiled for a device by one of its engines.
#pragma once
#include "../backend/cuda/graph_text.hpp"
#include "../backend/cuda/validate.hpp"
#include "engine_choice.hpp"

namespace lamina::gpu {

/// A compiled graph. It depends on the device's kind and on the version of cuDNN, on no handle and on no stream.
class ExecutionPlan {
  Descriptor plan_{CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, "an execution plan"};
  std::vector<Descriptor> chosen_{};  ///< the choice of an engine that the plan was made from
  std::vector<std::int64_t> ids_{};   ///< of the tensors in memory
  std::size_t workspace_bytes_ = 0;

 public:
  /// By an engine that was proposed for this graph on this device. Throws cudnn_error if the device cannot run it.
  ExecutionPlan(const OperationGraph& graph, const DeviceProperties& device, EngineChoice choice) {
    plan_.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, device.descriptor());
    plan_.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, choice.config);
    finish(graph);
    chosen_.push_back(std::move(choice.config));
  }
  /// From the text of a plan, of the same graph on the same kind of device. Throws cudnn_error if cuDNN refuses it:
  /// text of another version of cuDNN, or damaged.
  ExecutionPlan(const OperationGraph& graph, const DeviceProperties& device, std::string_view json) {
    plan_.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, device.descriptor());
    plan_.set(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, json);
    finish(graph);
  }

  /// Bytes of scratch memory that a call needs.
  std::size_t workspace_bytes() const { return workspace_bytes_; }

  /// Enqueues the work on the stream of the handle. `tensors` are the device addresses of the tensors in memory, in the
  /// order of their numbers, multiples of 16.
  void execute(cudnnHandle_t handle, void* const* tensors, void* workspace) const {
    Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, "the arguments of a plan");
    pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, ids_.data(), std::int64_t(ids_.size()));
    pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, tensors, std::int64_t(ids_.size()));
    pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, workspace);
    pack.finalize();
    check(cudnnBackendExecute(handle, plan_.get(), pack.get()), "execute a plan");
  }

  /// The plan as text, kernels included.
  std::string json() const { return plan_.text(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION); }

 private:
  void finish(const OperationGraph& graph) {
    plan_.finalize();
    workspace_bytes_ = std::size_t(plan_.values<std::int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, 1).at(0));
    for (int i = 0; i < graph.tensor_count; ++i)
      if (graph.tensors[i].in_memory) ids_.push_back(tensor_id(i));
  }
};

/// Takes the first engine that cuDNN proposes, the policy allows and the device can run. Throws unsupported_graph if
/// there is none (the graph, the device, what was wrong with each engine), and gpu_error if the graph is wrong.
inline ExecutionPlan make_plan(const OperationGraph& graph, const DeviceProperties& device, EnginePolicy policy = {}) {
  if (const Text fault = fault_of(graph); !fault.empty())
    throw gpu_error("a graph that is wrong: " + std::string(fault.view()) + "\n" + text_of(graph));
  std::string reasons;
  try {
    const GraphDescriptors descriptors(graph);
    for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK})
      for (EngineChoice& choice : engine_choices(descriptors, device, mode)) {
        std::string reason(refusal_of(choice, graph, policy));
        const std::string engine = "\n  engine " + std::to_string(choice.engine) + ": ";
        if (reason.empty()) try {
            return ExecutionPlan(graph, device, std::move(choice));
          } catch (const cudnn_error& e) { reason = e.what(); }
        // The same engine with other knobs mostly has the same fault.
        if (reasons.find(engine + reason) == std::string::npos) reasons += engine + reason;
      }
  } catch (const cudnn_error& e) { reasons += std::string("\n  ") + e.what(); }
  throw unsupported_graph("cuDNN has no engine on " + device.name() + " for\n" + text_of(graph) + "because" +
                          (reasons.empty() ? "\n  it proposes none" : reasons));
}

}  // namespace lamina::gpu
