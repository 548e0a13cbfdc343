/// Plans of cuDNN that were made before: in memory, and in a folder between runs.
#pragma once
#include "../backend/cuda/code.hpp"
#include "disk_cache.hpp"
#include "execution_plan.hpp"
#include <forward_list>
#include <mutex>

namespace lamina::gpu {

/// Plans by graph, device, version of cuDNN and policy. Making one takes from milliseconds to seconds, where cuDNN
/// compiles an engine. That it has no engine for a graph is remembered in memory. Threads that ask for the same plan
/// wait for the first of them; different plans are made at the same time.
class PlanCache {
  struct Entry {
    std::string key;
    std::mutex mutex{};  ///< of what follows
    bool asked = false;
    std::optional<ExecutionPlan> plan{};
    std::string refusal{};
    explicit Entry(std::string key_) : key(std::move(key_)) {}
  };
  std::mutex mutex_{};                  // of the list
  std::forward_list<Entry> entries_{};  // what was given away stays where it is
  DiskCache disk_;

 public:
  explicit PlanCache(DiskCache disk) : disk_(std::move(disk)) {}

  /// The cache of this process; its folder is named by LAMINA_CUDA_CACHE.
  static PlanCache& of_process() {
    static PlanCache cache{DiskCache()};
    return cache;
  }

  /// The plan, or null if cuDNN has no engine for it. It stays valid as long as the cache. Throws gpu_error if the graph
  /// is wrong.
  const ExecutionPlan* find(const OperationGraph& graph, const DeviceProperties& device, EnginePolicy policy = {}) {
    const Entry& entry = entry_of(graph, device, policy);
    return entry.plan ? &*entry.plan : nullptr;
  }
  /// The plan. Throws unsupported_graph if cuDNN has no engine for it, and gpu_error if the graph is wrong.
  const ExecutionPlan& get(const OperationGraph& graph, const DeviceProperties& device, EnginePolicy policy = {}) {
    const Entry& entry = entry_of(graph, device, policy);
    if (!entry.plan) throw unsupported_graph(entry.refusal);
    return *entry.plan;
  }

  static std::string key_of(const OperationGraph& graph, const DeviceProperties& device, EnginePolicy policy) {
    Code key;
    key << "plan of cuDNN " << idx(cudnnGetVersion()) << (policy.deterministic ? ", deterministic" : "") << "\n"
        << text_of(graph) << device.json();
    return key.text;
  }

 private:
  [[gnu::cold]] const Entry& entry_of(const OperationGraph& graph, const DeviceProperties& device, EnginePolicy policy) {
    Entry& entry = listed(key_of(graph, device, policy));
    const std::lock_guard lock(entry.mutex);
    if (!entry.asked) fill(entry, graph, device, policy);
    entry.asked = true;
    return entry;
  }

  Entry& listed(std::string key) {
    const std::lock_guard lock(mutex_);
    for (Entry& entry : entries_)
      if (entry.key == key) return entry;
    return entries_.emplace_front(std::move(key));
  }

  void fill(Entry& entry, const OperationGraph& graph, const DeviceProperties& device, EnginePolicy policy) {
    if (const std::optional<std::string> json = disk_.read(entry.key)) try {
        entry.plan.emplace(graph, device, std::string_view(*json));
        return;
      } catch (const cudnn_error&) {  // of another build of the same version: made again
      }
    try {
      entry.plan.emplace(make_plan(graph, device, policy));
      disk_.write(entry.key, entry.plan->json());
    } catch (const unsupported_graph& e) { entry.refusal = e.what(); }
  }
};

}  // namespace lamina::gpu
