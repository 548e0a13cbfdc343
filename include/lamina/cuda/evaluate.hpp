/// Eager evaluation on a GPU: every operation is a plan of its own, which is kept.
#pragma once
#include "../eager/evaluation.hpp"
#include "../plan/steps.hpp"
#include "device_plan.hpp"
#include "device_weights.hpp"
#include <array>
#include <forward_list>
#include <memory>
#include <mutex>

namespace lamina::gpu {

/// What a plan is made for: an operation, and what is fused to it, for operands of fixed extents on a device.
struct EvaluationCase {
  static constexpr int most_parameters = 8;  ///< four of the operation, and four of a batch norm

  int device;
  Operation operation;
  std::vector<Dims> dims{};
  std::vector<Dtype> dtypes{};
  std::array<bool, most_parameters> parameters{};
  ops::BatchNorm norm_operation;
  bool has_norm, has_residual;
  ops::Activation activation;

  EvaluationCase(int number, const Evaluation& e)
      : device(number), operation(e.operation), norm_operation(e.norm_operation), has_norm(e.norm),
        has_residual(e.residual), activation(e.activation) {
    for (int i = 0; i < e.operand_count; ++i) {
      dims.push_back(e.operands[i].dims);
      dtypes.push_back(e.operands[i].dtype);
    }
    for (int k = 0; k < most_parameters; ++k) parameters[std::size_t(k)] = parameter_of(e, k);
  }
  friend bool operator==(const EvaluationCase&, const EvaluationCase&) = default;
  /// The same weights are packed for the other: it is of other extents at most.
  bool packs_as(const EvaluationCase& other) const {
    return device == other.device && operation == other.operation && parameters == other.parameters &&
           has_norm == other.has_norm && norm_operation == other.norm_operation;
  }

  /// Null where there is none.
  static const Storage* parameter_of(const Evaluation& e, int k) {
    const Storage* const list = k < 4 ? e.parameters : e.norm;
    return list && list[k % 4] ? list + k % 4 : nullptr;
  }
};

/// An evaluation as a graph, whose parameters are known by the addresses of their storages.
[[gnu::cold]] inline Graph graph_of(const Evaluation& e) {
  Graph graph;
  const auto add = [&](const Operation& operation, const Dims& dims, Dtype dtype, const std::vector<int>& inputs,
                       const Storage* parameters) {
    Node node{.operation = operation, .dims = dims, .dtype = dtype};
    for (int k = 0; k < 4; ++k)
      if (parameters && parameters[k]) node.parameters[k] = parameters + k;
    return lamina::detail::record(graph, node, inputs);
  };
  std::vector<int> operands;
  for (int i = 0; i < e.operand_count; ++i)
    operands.push_back(add(operation_of(ops::Input{i}), e.operands[i].dims, e.operands[i].dtype, {}, nullptr));
  const auto follow = [&](const Operation& operation, const std::vector<int>& inputs, const Storage* parameters) {
    return add(operation, e.dims, Dtype::float32, inputs, parameters);
  };
  const int residual = e.residual ? follow(operation_of(ops::Input{e.operand_count}), {}, nullptr) : -1;
  int value = follow(e.operation, operands, e.parameters);
  if (e.norm) value = follow(operation_of(e.norm_operation), {value}, e.norm);
  if (e.residual) value = follow(operation_of(ops::Binary{ops::Binary::Kind::add}), {value, residual}, nullptr);
  if (e.activation.kind != ops::Activation::Kind::identity)
    value = follow(operation_of(e.activation), {value}, nullptr);
  graph.outputs.push_back(value);
  return graph;
}

/// A plan for a case, with weights packed from parameters as they were.
class ReadyOperation {
  using Versions = std::array<std::uint64_t, EvaluationCase::most_parameters>;
  EvaluationCase case_;
  Versions versions_;
  DeviceWeights weights_;
  DevicePlan plan_;

 public:
  /// `packed`: of an operation that packs its weights as this one does; null: there is none yet.
  ReadyOperation(EvaluationCase of, const Evaluation& e, const ReadyOperation* packed)
      : case_(std::move(of)), versions_(versions_of(e)),
        weights_(packed ? packed->weights_ : DeviceWeights(case_.device, CompileOptions{})),
        plan_(make_plan(case_, weights_, e)) {}
  /// Nothing is freed that is still worked with.
  ~ReadyOperation() { finish_work(case_.device); }
  ReadyOperation(const ReadyOperation&) = delete;
  ReadyOperation& operator=(const ReadyOperation&) = delete;

  const DevicePlan& plan() const { return plan_; }
  bool is_for(const EvaluationCase& other) const { return case_ == other; }
  bool packs_as(const EvaluationCase& other) const { return case_.packs_as(other); }
  /// False once a parameter was written.
  bool is_fresh(const Evaluation& e) const { return versions_ == versions_of(e); }

 private:
  static Versions versions_of(const Evaluation& e) {
    Versions versions{};
    for (int k = 0; k < EvaluationCase::most_parameters; ++k)
      if (const Storage* const parameter = EvaluationCase::parameter_of(e, k))
        versions[std::size_t(k)] = parameter->version();
    return versions;
  }
  [[gnu::cold]] static DevicePlan make_plan(const EvaluationCase& of, DeviceWeights& weights, const Evaluation& e) {
    std::vector<ParameterInfo> parameters;
    calls::ModelTensors tensors;
    for (int k = 0; k < EvaluationCase::most_parameters; ++k)
      if (const Storage* const parameter = EvaluationCase::parameter_of(e, k)) {
        const idx size = idx(parameter->bytes() / sizeof(float));
        parameters.push_back({parameter, size});
        tensors.push_back({.path = "a parameter", .storage = parameter, .dims = {size}});
      }
    planning::Plan plan =
        planning::make_plan<Backend>(graph_of(e), parameters.data(), int(parameters.size()), CompileOptions{});
    std::vector<std::byte*> blocks = weights.of(plan, tensors);
    return DevicePlan(of.device, std::move(plan), CompileOptions{}, std::move(blocks),
                      std::vector<std::size_t>(std::size_t(e.operand_count + bool(e.residual))));
  }
};

/// The operations that were made ready: those with parameters are kept beside the first of them and go with it, the
/// others as long as the process.
class ReadyOperations : public Attachment {
  using Shared = std::shared_ptr<const ReadyOperation>;
  std::forward_list<Shared> list;

 public:
  /// Made at the first need, and again after a write to a parameter.
  static Shared get(int device, const Evaluation& e) {
    EvaluationCase wanted(device, e);
    static std::mutex mutex;
    Shared packed;
    {
      const std::lock_guard lock(mutex);
      for (const Shared& ready : beside(e).list) {
        if (!ready->packs_as(wanted) || !ready->is_fresh(e)) continue;
        if (ready->is_for(wanted)) return ready;
        packed = ready;
      }
    }
    // Other threads go on meanwhile; what two of them make at the same time is the same.
    const Shared made = std::make_shared<ReadyOperation>(wanted, e, packed.get());
    std::forward_list<Shared> stale;  // freed without the lock
    const std::lock_guard lock(mutex);
    std::forward_list<Shared>& list = beside(e).list;
    for (auto before = list.before_begin(); std::next(before) != list.end();)
      if (const ReadyOperation& old = **std::next(before); old.packs_as(wanted) && !old.is_fresh(e))
        stale.splice_after(stale.before_begin(), list, before);
      else ++before;
    list.push_front(made);
    return made;
  }

 private:
  static ReadyOperations& beside(const Evaluation& e) {
    for (int k = 0; k < EvaluationCase::most_parameters; ++k)
      if (const Storage* const parameter = EvaluationCase::parameter_of(e, k)) {
        lamina::detail::Owned<Attachment>& attached = parameter->attachment();
        if (!attached) attached = lamina::detail::Owned<Attachment>(new ReadyOperations);
        return static_cast<ReadyOperations&>(*attached);
      }
    static ReadyOperations others;
    return others;
  }
};

/// Computes on the stream of this thread. Values between the tasks are in a block that is freed behind them.
inline Storage evaluate(int device, const Evaluation& e) {
  Context& context = Context::of(device);
  const std::shared_ptr<const ReadyOperation> ready = ReadyOperations::get(device, e);
  const DevicePlan& plan = ready->plan();
  Storage result = context.allocate(DevicePlan::bytes_of(plan.plan().outputs[0]));
  const Storage block = context.allocate(plan.working_bytes());
  std::forward_list<Turn> turns;
  std::vector<std::byte*> inputs;
  const auto add = [&](const Storage& input) {
    turns.emplace_front(static_cast<const StreamMemory&>(*input.memory()), context.memory());
    inputs.push_back(input.data());
  };
  for (int i = 0; i < e.operand_count; ++i) add(*e.operands[i].storage);
  if (e.residual) add(*e.residual);
  plan.run(context, block.data(), plan.arguments_in(block.data(), inputs, {result.data()}).data());
  return result;
}

}  // namespace lamina::gpu
