/// Descriptors of the emulated cuDNN: maps from attributes to values.
#pragma once
#include <cstring>
#include <cuda_runtime_api.h>
#include <cudnn.h>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace emulation {

struct Descriptor;

// Attributes whose names cudnn.h calls deprecated.
constexpr int graph_handle = 800, plan_handle = 400, pooling_alpha = 1713, pooling_beta = 1714;

struct Attribute {
  cudnnBackendAttributeType_t type;
  std::int64_t count;
  std::string bytes;                                  ///< of the elements; of descriptors: nothing
  std::vector<std::shared_ptr<Descriptor>> children;  ///< of descriptors
};

/// What can be said of an engine: its number, and the notes that clients choose by.
struct Engine {
  std::int64_t index;
  std::vector<cudnnBackendNumericalNote_t> notes;
  std::vector<cudnnBackendBehaviorNote_t> behavior;
  bool has(cudnnBackendNumericalNote_t note) const {
    for (const auto one : notes)
      if (one == note) return true;
    return false;
  }
};

struct Descriptor : std::enable_shared_from_this<Descriptor> {
  cudnnBackendDescriptorType_t type;
  bool finalized = false;
  std::map<int, Attribute> attributes;

  // ---- what is made when it is finalized
  Engine engine{};              ///< of an engine, its configuration and plan
  std::vector<Engine> engines;  ///< of heuristics, in their order
  std::string device;           ///< of device properties, heuristics and plans: the properties, as text
  std::int64_t workspace = 0;   ///< of a plan

  explicit Descriptor(cudnnBackendDescriptorType_t kind) : type(kind) {}

  bool has(int name) const { return attributes.count(name) != 0; }

  template <class T> std::vector<T> all(int name) const {
    const auto found = attributes.find(name);
    if (found == attributes.end()) return {};
    std::vector<T> values(found->second.bytes.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), found->second.bytes.data(), values.size() * sizeof(T));
    return values;
  }
  template <class T> T get(int name, T otherwise = T{}) const {
    const auto values = all<T>(name);
    return values.empty() ? otherwise : values[0];
  }
  const Descriptor* child(int name) const {
    const auto found = attributes.find(name);
    return found == attributes.end() || found->second.children.empty() ? nullptr : found->second.children[0].get();
  }
  const std::vector<std::shared_ptr<Descriptor>>& children(int name) const {
    static const std::vector<std::shared_ptr<Descriptor>> none;
    const auto found = attributes.find(name);
    return found == attributes.end() ? none : found->second.children;
  }
};

/// A status and why.
struct Verdict {
  cudnnStatus_t status = CUDNN_STATUS_SUCCESS;
  std::string why;
  bool ok() const { return status == CUDNN_STATUS_SUCCESS; }
};
inline Verdict bad(std::string why) { return {CUDNN_STATUS_BAD_PARAM, std::move(why)}; }
inline Verdict unsupported(std::string why) { return {CUDNN_STATUS_NOT_SUPPORTED, std::move(why)}; }

/// A tensor of a graph.
struct TensorShape {
  std::int64_t uid;
  cudnnDataType_t type;
  std::vector<std::int64_t> dims, strides;
  std::int64_t alignment;
  bool is_virtual;
  std::int64_t elements() const;
  std::int64_t bytes() const;  ///< from the first element to behind the last
};
TensorShape shape_of(const Descriptor& tensor);
std::size_t size_of(cudnnDataType_t type);

/// The tensors that an operation reads or writes, in the order of their roles; pointwise: x, b; convolution: image,
/// filter.
struct Operands {
  std::vector<const Descriptor*> reads;
  const Descriptor* writes = nullptr;
};
Operands operands_of(const Descriptor& operation);

/// attributes.cpp: the attributes that each kind of descriptor has
std::size_t element_bytes(cudnnBackendAttributeType_t type);
Verdict check_attribute(const Descriptor& descriptor, int name, cudnnBackendAttributeType_t type, std::int64_t count);
Verdict check_complete(const Descriptor& descriptor);

/// graph_rules.cpp: whether the attributes make sense together
Verdict check_sense(const Descriptor& descriptor);

/// cudnn.cpp
struct Handle {
  int device;
  cudaStream_t stream = nullptr;
};
const Handle* handle_in(const Descriptor& descriptor, int name);  ///< nullptr if there is none

/// plans.cpp: what is made when a descriptor is finalized
Verdict finalize(Descriptor& descriptor);
std::shared_ptr<Descriptor> make_engine(const std::shared_ptr<Descriptor>& graph, const Engine& engine);
void fill_configuration(Descriptor& configuration, const std::shared_ptr<Descriptor>& engine);
const Descriptor& planned_graph(const Descriptor& plan);
std::string json_of_plan(const Descriptor& plan);
std::string device_key(const std::string& json);  ///< what of a device's properties a plan depends on

/// execute.cpp
Verdict execute(const Handle& handle, const std::shared_ptr<Descriptor>& plan, const Descriptor& pack);

/// engines.cpp: which engines a graph has on a device
std::vector<Engine> engines_for(const Descriptor& graph, cudnnBackendHeurMode_t mode, const std::string& device);
std::int64_t workspace_of(const Descriptor& graph, const Engine& engine);

/// record.cpp: graphs as text
std::string text_of(const Descriptor& graph);
std::shared_ptr<Descriptor> graph_from(const std::string& text);  ///< nullptr if damaged
void record_graph(const Descriptor& graph, bool taken);  ///< `taken`: an engine is offered for it

/// interpret.cpp: the numbers of a graph; `memory` has an address for every tensor that is not virtual
void interpret(const Descriptor& graph, const std::map<std::int64_t, char*>& memory, bool round_operands);

}  // namespace emulation
