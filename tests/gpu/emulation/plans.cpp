/// cuDNN: what is made when a descriptor is finalized; execution plans, and their text.
#include "descriptor.hpp"
#include "module.hpp"
#include "state.hpp"
#include <algorithm>

namespace emulation {
namespace {

Verdict finalize_properties(Descriptor& properties) {
  if (properties.has(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION)) {
    properties.device = properties.attributes.at(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION).bytes;
    if (number_in(properties.device, "deviceVer") <= 0 || properties.device.find('}') == std::string::npos)
      return bad("device properties: not the properties of a device");
    return {};
  }
  int device = -1;
  if (const Handle* handle = handle_in(properties, CUDNN_ATTR_DEVICEPROP_HANDLE)) device = handle->device;
  if (properties.has(CUDNN_ATTR_DEVICEPROP_DEVICE_ID)) device = properties.get<int>(CUDNN_ATTR_DEVICEPROP_DEVICE_ID);
  if (!is_device(device)) return bad("device properties: of no device");
  properties.device = device_json(device);
  return {};
}

/// The properties of the device that a descriptor is for, by its own properties or a handle.
std::string device_for(const Descriptor& descriptor, int properties, const Handle* handle) {
  if (const Descriptor* given = descriptor.child(properties)) return given->device;
  return handle ? device_json(handle->device) : "";
}

Verdict finalize_heuristics(Descriptor& heuristics) {
  const Descriptor& graph = *heuristics.child(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
  heuristics.device = device_for(heuristics, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, handle_in(graph, graph_handle));
  if (heuristics.device.empty()) return bad("heuristics: neither device properties nor a handle in the graph");
  heuristics.engines =
      engines_for(graph, heuristics.get<cudnnBackendHeurMode_t>(CUDNN_ATTR_ENGINEHEUR_MODE), heuristics.device);
  record_graph(graph, !heuristics.engines.empty());
  return {};
}

Verdict finalize_engine(Descriptor& engine) {
  const Descriptor& graph = *engine.child(CUDNN_ATTR_ENGINE_OPERATION_GRAPH);
  engine.device = device_for(engine, CUDNN_ATTR_ENGINE_DEVICEPROP, handle_in(graph, graph_handle));
  if (engine.device.empty()) return bad("engine: neither device properties nor a handle in the graph");
  for (const Engine& one : engines_for(graph, CUDNN_HEUR_MODE_A, engine.device)) {
    if (one.index != engine.get<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX)) continue;
    engine.engine = one;
    return {};
  }
  return {CUDNN_STATUS_NOT_SUPPORTED, "the graph has no engine of this number"};
}

// A plan as text: {"version":..,"deviceVer":..,"deviceName":"..","engine":..,"check":"HASH","graph":"TEXT"}

std::string plan_check(const std::string& device, std::int64_t engine, const std::string& graph) {
  return hash_of(std::to_string(CUDNN_VERSION) + device + std::to_string(engine) + graph);
}
/// A plan restored from text; another version or device, and damage, are refused.
Verdict restore(Descriptor& plan) {
  const std::string json = plan.attributes.at(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION).bytes;
  const auto refused = [](const std::string& why) {
    return Verdict{CUDNN_STATUS_SERIALIZATION_VERSION_MISMATCH, "plan: " + why};
  };
  if (number_in(json, "version") != CUDNN_VERSION) return refused("of another version");
  if (text_in(json, "deviceVer") + "\",\"deviceName\":\"" + text_in(json, "deviceName") != device_key(plan.device))
    return refused("of another device");
  std::string text = text_in(json, "graph");
  std::replace(text.begin(), text.end(), ';', '\n');
  const std::int64_t index = number_in(json, "engine");
  if (plan_check(device_key(plan.device), index, text) != text_in(json, "check")) return refused("damaged");
  const auto graph = graph_from(text);
  if (!graph) return refused("damaged");
  for (const Engine& engine : engines_for(*graph, CUDNN_HEUR_MODE_A, plan.device)) {
    if (engine.index != index) continue;
    auto configuration = std::make_shared<Descriptor>(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    fill_configuration(*configuration, make_engine(graph, engine));
    plan.attributes[CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG] = {CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, "", {configuration}};
    plan.engine = engine;
    return {};
  }
  return refused("of an engine that is not there");
}

Verdict finalize_plan(Descriptor& plan) {
  plan.device = device_for(plan, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, handle_in(plan, plan_handle));
  if (plan.device.empty()) return bad("plan: neither device properties nor a handle");
  if (plan.has(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION)) {
    if (const Verdict verdict = restore(plan); !verdict.ok()) return verdict;
  } else {
    const Descriptor* configuration = plan.child(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
    if (!configuration) return bad("plan: no engine configuration");
    plan.engine = configuration->child(CUDNN_ATTR_ENGINECFG_ENGINE)->engine;
  }
  plan.workspace = workspace_of(planned_graph(plan), plan.engine);
  return {};
}

}  // namespace

const Descriptor& planned_graph(const Descriptor& plan) {
  return *plan.child(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG)
              ->child(CUDNN_ATTR_ENGINECFG_ENGINE)
              ->child(CUDNN_ATTR_ENGINE_OPERATION_GRAPH);
}

std::shared_ptr<Descriptor> make_engine(const std::shared_ptr<Descriptor>& graph, const Engine& engine) {
  auto made = std::make_shared<Descriptor>(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  made->attributes[CUDNN_ATTR_ENGINE_OPERATION_GRAPH] = {CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, "", {graph}};
  std::string index(reinterpret_cast<const char*>(&engine.index), sizeof engine.index);
  made->attributes[CUDNN_ATTR_ENGINE_GLOBAL_INDEX] = {CUDNN_TYPE_INT64, 1, std::move(index), {}};
  made->engine = engine;
  made->finalized = true;
  return made;
}

void fill_configuration(Descriptor& configuration, const std::shared_ptr<Descriptor>& engine) {
  configuration.attributes[CUDNN_ATTR_ENGINECFG_ENGINE] = {CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, "", {engine}};
  configuration.finalized = true;
}

std::string device_key(const std::string& json) {
  return std::to_string(number_in(json, "deviceVer")) + "\",\"deviceName\":\"" + text_in(json, "deviceName");
}

std::string json_of_plan(const Descriptor& plan) {
  const std::string graph = text_of(planned_graph(plan)), key = device_key(plan.device);
  std::string one_line = graph;
  std::replace(one_line.begin(), one_line.end(), '\n', ';');
  return "{\"version\":" + std::to_string(CUDNN_VERSION) + ",\"deviceVer\":\"" + key +
         "\",\"engine\":" + std::to_string(plan.engine.index) + ",\"check\":\"" +
         plan_check(key, plan.engine.index, graph) + "\",\"graph\":\"" + one_line + "\"}";
}

Verdict finalize(Descriptor& descriptor) {
  if (descriptor.finalized) return bad("finalized twice");
  Verdict verdict = check_complete(descriptor);
  if (!verdict.ok()) return verdict;
  switch (descriptor.type) {
  case CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR: verdict = finalize_properties(descriptor); break;
  case CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR: verdict = finalize_heuristics(descriptor); break;
  case CUDNN_BACKEND_ENGINE_DESCRIPTOR: verdict = finalize_engine(descriptor); break;
  case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR: verdict = finalize_plan(descriptor); break;
  default: break;
  }
  descriptor.finalized = verdict.ok();
  return verdict;
}

}  // namespace emulation
