/// cuDNN: handles, and the backend's calls on descriptors (descriptor.hpp).
///
/// What makes no sense is a fault and CUDNN_STATUS_BAD_PARAM; what the real library has no engine for is
/// CUDNN_STATUS_NOT_SUPPORTED, or heuristics without results, and no fault.
#include "descriptor.hpp"
#include "state.hpp"
#include <algorithm>
#include <cstdio>

namespace emulation {
namespace {

std::map<const void*, Handle>& handles() {
  static auto* all = new std::map<const void*, Handle>;
  return *all;
}
std::map<const void*, std::shared_ptr<Descriptor>>& descriptors() {
  static auto* all = new std::map<const void*, std::shared_ptr<Descriptor>>;
  return *all;
}

thread_local char last_message[1024] = "";  // without a destructor: handles of a thread are destroyed when it ends

void keep_message(const std::string& why) { std::snprintf(last_message, sizeof last_message, "%s", why.c_str()); }

cudnnStatus_t answer(const Verdict& verdict) {
  if (verdict.ok()) return verdict.status;
  keep_message(verdict.why);
  if (verdict.status / 1000 == 2) fault(verdict.why + " (" + cudnnGetErrorString(verdict.status) + ")");
  return verdict.status;
}

/// Device properties alone need no device: plans are made where there is none.
template <class Body> cudnnStatus_t cudnn_call(const char* name, Body body) {
  Call call(name);
  if (call.injected != 0) {
    keep_message("a failure that a test asked for");
    return cudnnStatus_t(call.injected);
  }
  return answer(body());
}

std::shared_ptr<Descriptor> find(cudnnBackendDescriptor_t handle) {
  const auto found = descriptors().find(handle);
  return found == descriptors().end() ? nullptr : found->second;
}

// ---- attributes

Verdict set(Descriptor& descriptor, int name, cudnnBackendAttributeType_t type, std::int64_t count,
            const void* values) {
  if (descriptor.finalized) return bad("an attribute is set after the descriptor was finalized");
  if (!values) return bad("a null pointer to values");
  if (const Verdict verdict = check_attribute(descriptor, name, type, count); !verdict.ok()) return verdict;
  Attribute attribute{type, count, "", {}};
  if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR) {
    for (std::int64_t i = 0; i < count; ++i) {
      const auto child = find(static_cast<const cudnnBackendDescriptor_t*>(values)[i]);
      if (!child || !child->finalized)
        return bad(child ? "a descriptor that is not finalized" : "not a descriptor; destroyed?");
      attribute.children.push_back(child);
    }
  } else {
    attribute.bytes.assign(static_cast<const char*>(values), std::size_t(count) * element_bytes(type));
  }
  descriptor.attributes[name] = std::move(attribute);
  return {};
}

/// As much of a list as there is room for; without room its length.
template <class T> Verdict give(const std::vector<T>& values, std::int64_t room, std::int64_t* count, void* result) {
  const std::int64_t given = std::min<std::int64_t>(room, std::int64_t(values.size()));
  if (result && given > 0) std::memcpy(result, values.data(), std::size_t(given) * sizeof(T));
  if (count) *count = room > 0 && result ? given : std::int64_t(values.size());
  return {};
}

/// Configurations that the client made are filled in the order of the heuristics.
Verdict give_results(const Descriptor& heuristics, std::int64_t room, std::int64_t* count, void* result) {
  const std::int64_t given = std::min<std::int64_t>(room, std::int64_t(heuristics.engines.size()));
  if (count) *count = room > 0 && result ? given : std::int64_t(heuristics.engines.size());
  const auto& graph = heuristics.children(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH)[0];
  for (std::int64_t i = 0; result && i < given; ++i) {
    const auto configuration = find(static_cast<cudnnBackendDescriptor_t*>(result)[i]);
    if (!configuration || configuration->type != CUDNN_BACKEND_ENGINECFG_DESCRIPTOR)
      return bad("results go to engine configurations");
    fill_configuration(*configuration, make_engine(graph, heuristics.engines[std::size_t(i)]));
  }
  return {};
}

Verdict get(const Descriptor& descriptor, int name, cudnnBackendAttributeType_t type, std::int64_t room,
            std::int64_t* count, void* result) {
  if (!descriptor.finalized)
    return {CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "an attribute of a descriptor that is not finalized"};
  if (name == CUDNN_ATTR_ENGINEHEUR_RESULTS) return give_results(descriptor, room, count, result);
  if (name == CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE)
    return give<std::int64_t>({descriptor.workspace}, room, count, result);
  if (name == CUDNN_ATTR_ENGINE_NUMERICAL_NOTE) return give(descriptor.engine.notes, room, count, result);
  if (name == CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE) return give(descriptor.engine.behavior, room, count, result);
  if (name == CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION || name == CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION) {
    const std::string text =
        name == CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION ? descriptor.device : json_of_plan(descriptor);
    return give(std::vector<char>(text.begin(), text.end()), room, count, result);
  }
  const auto found = descriptor.attributes.find(name);
  if (found == descriptor.attributes.end()) return bad("the descriptor has no attribute " + std::to_string(name));
  const Attribute& attribute = found->second;
  if (attribute.type != type) return bad("attribute " + std::to_string(name) + " has another type");
  if (type != CUDNN_TYPE_BACKEND_DESCRIPTOR) {
    const std::size_t bytes = std::size_t(std::min(room, attribute.count)) * element_bytes(type);
    if (result) std::memcpy(result, attribute.bytes.data(), bytes);
    if (count) *count = attribute.count;
    return {};
  }
  // A descriptor that the client made becomes a copy.
  for (std::int64_t i = 0; result && i < std::min(room, attribute.count); ++i) {
    const auto copy = find(static_cast<cudnnBackendDescriptor_t*>(result)[i]);
    const Descriptor& original = *attribute.children[std::size_t(i)];
    if (!copy || copy->type != original.type) return bad("a descriptor of another kind");
    copy->attributes = original.attributes;
    copy->engine = original.engine;
    copy->device = original.device;
    copy->finalized = true;
  }
  if (count) *count = attribute.count;
  return {};
}

}  // namespace

const Handle* handle_in(const Descriptor& descriptor, int name) {
  if (!descriptor.has(name)) return nullptr;
  const auto found = handles().find(descriptor.get<const void*>(name));
  return found == handles().end() ? nullptr : &found->second;
}

}  // namespace emulation

using namespace emulation;

extern "C" {

std::size_t cudnnGetVersion() { return CUDNN_VERSION; }
std::size_t cudnnGetCudartVersion() { return CUDART_VERSION; }

const char* cudnnGetErrorString(cudnnStatus_t status) {
  switch (status) {
  case CUDNN_STATUS_SUCCESS: return "CUDNN_STATUS_SUCCESS";
  case CUDNN_STATUS_NOT_INITIALIZED: return "CUDNN_STATUS_NOT_INITIALIZED";
  case CUDNN_STATUS_SERIALIZATION_VERSION_MISMATCH: return "CUDNN_STATUS_SERIALIZATION_VERSION_MISMATCH";
  case CUDNN_STATUS_BAD_PARAM: return "CUDNN_STATUS_BAD_PARAM";
  case CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER: return "CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER";
  case CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED: return "CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED";
  case CUDNN_STATUS_NOT_SUPPORTED: return "CUDNN_STATUS_NOT_SUPPORTED";
  case CUDNN_STATUS_INTERNAL_ERROR: return "CUDNN_STATUS_INTERNAL_ERROR";
  case CUDNN_STATUS_INTERNAL_ERROR_COMPILATION_FAILED: return "CUDNN_STATUS_INTERNAL_ERROR_COMPILATION_FAILED";
  case CUDNN_STATUS_EXECUTION_FAILED: return "CUDNN_STATUS_EXECUTION_FAILED";
  default: return "CUDNN_UNKNOWN_STATUS";
  }
}

void cudnnGetLastErrorString(char* message, std::size_t size) {
  std::snprintf(message, size, "%s", last_message);
  last_message[0] = '\0';
}

cudnnStatus_t cudnnCreate(cudnnHandle_t* result) {
  return cudnn_call("cudnnCreate", [&]() -> Verdict {
    if (state().device_count == 0) return {CUDNN_STATUS_NOT_INITIALIZED, "there is no device"};
    auto* made = new char;  // an address that is nobody else's
    handles()[made] = Handle{current_device()};
    state().others[made] = "a handle of cuDNN";
    *result = reinterpret_cast<cudnnHandle_t>(made);
    return {};
  });
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  return cudnn_call("cudnnDestroy", [&]() -> Verdict {
    if (handles().erase(handle) == 0) return bad("not a handle; destroyed twice?");
    state().others.erase(handle);
    delete reinterpret_cast<char*>(handle);
    return {};
  });
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  return cudnn_call("cudnnSetStream", [&]() -> Verdict {
    const auto found = handles().find(handle);
    if (found == handles().end()) return bad("not a handle; destroyed?");
    const auto on = stream_of(stream);
    if (!on) return bad("not a stream");
    if (on->device != found->second.device) return bad("a stream of another device");
    found->second.stream = stream;
    return {};
  });
}

cudnnStatus_t cudnnGetStream(cudnnHandle_t handle, cudaStream_t* stream) {
  return cudnn_call("cudnnGetStream", [&]() -> Verdict {
    const auto found = handles().find(handle);
    if (found == handles().end()) return bad("not a handle; destroyed?");
    *stream = found->second.stream;
    return {};
  });
}

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t* result) {
  return cudnn_call("cudnnBackendCreateDescriptor", [&]() -> Verdict {
    auto descriptor = std::make_shared<Descriptor>(type);
    *result = descriptor.get();
    state().others[descriptor.get()] = "a descriptor of type " + std::to_string(type);
    descriptors()[descriptor.get()] = std::move(descriptor);
    return {};
  });
}

cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t handle) {
  return cudnn_call("cudnnBackendDestroyDescriptor", [&]() -> Verdict {
    if (descriptors().erase(handle) == 0) return bad("not a descriptor; destroyed twice?");
    state().others.erase(handle);
    return {};
  });
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t handle, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, std::int64_t count, const void* values) {
  return cudnn_call("cudnnBackendSetAttribute", [&]() -> Verdict {
    const auto descriptor = find(handle);
    return descriptor ? set(*descriptor, name, type, count, values) : bad("not a descriptor; destroyed?");
  });
}

cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t handle, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, std::int64_t room, std::int64_t* count,
                                       void* values) {
  return cudnn_call("cudnnBackendGetAttribute", [&]() -> Verdict {
    const auto descriptor = find(handle);
    return descriptor ? get(*descriptor, name, type, room, count, values) : bad("not a descriptor; destroyed?");
  });
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t handle) {
  return cudnn_call("cudnnBackendFinalize", [&]() -> Verdict {
    const auto descriptor = find(handle);
    return descriptor ? finalize(*descriptor) : bad("not a descriptor; destroyed?");
  });
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan_handle,
                                  cudnnBackendDescriptor_t pack_handle) {
  return cudnn_call("cudnnBackendExecute", [&]() -> Verdict {
    const auto found = handles().find(handle);
    const auto plan = find(plan_handle), pack = find(pack_handle);
    if (found == handles().end() || !plan || !pack) return bad("not a handle, a plan and a variant pack");
    if (!plan->finalized || !pack->finalized) return bad("a plan or variant pack that is not finalized");
    return execute(found->second, plan, *pack);
  });
}

}  // extern "C"
