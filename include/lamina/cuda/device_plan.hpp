/// A plan on a GPU: every step is a graph of cuDNN or a kernel of our own, on fixed parts of one block of memory.
#pragma once
#include "../backend/cuda/kernels/kernel_of.hpp"
#include "../backend/cuda/pack.hpp"
#include "../engine/step_values.hpp"
#include "context.hpp"
#include "nvrtc.hpp"
#include "plan_cache.hpp"

namespace lamina::gpu {

/// A pointer that a task gets: into the arena, an input or a result of a call, or into the weights of step `index`.
struct Address {
  planning::Source source = planning::Source::arena;
  int index = 0;
  std::size_t offset = 0;  ///< bytes
};

/// One call of cuDNN, or of a kernel of the module, on a range of DevicePlan::addresses.
struct Task {
  const ExecutionPlan* graph = nullptr;
  int kernel = -1;
  int first = 0;
};

/// What calls with inputs of these extents share. Each has one block of device memory: the arena, cuDNN's workspace,
/// the inputs and the results.
class DevicePlan {
  int device_;
  planning::Plan plan_;
  CompileOptions options_;
  std::vector<Task> tasks_{};
  std::vector<Address> addresses_{};
  std::vector<std::byte*> weights_{};  ///< of each step
  std::vector<std::size_t> inputs_{}, outputs_{};
  std::size_t workspace_at_ = 0, working_bytes_ = 0, block_bytes_ = 0;
  Module module_;

 public:
  /// `weights`: the packed weights of each step on the device; `inputs`: bytes of each input. Throws cudnn_error,
  /// nvrtc_error, and what the runtime throws.
  DevicePlan(int device, planning::Plan plan, const CompileOptions& options, std::vector<std::byte*> weights,
             const std::vector<std::size_t>& inputs)
      : device_(device), plan_(std::move(plan)), options_(options), weights_(std::move(weights)), module_(load()) {
    std::size_t end = 0;
    const auto add = [&](std::size_t bytes) {
      const std::size_t at = end;
      end += (bytes + storage_alignment - 1) / storage_alignment * storage_alignment;
      return at;
    };
    static_cast<void>(add(std::size_t(plan_.memory.activations) * sizeof(float)));
    workspace_at_ = add(workspace_bytes());
    working_bytes_ = end;
    for (const std::size_t bytes : inputs) inputs_.push_back(add(bytes));
    for (const planning::Place& output : plan_.outputs) outputs_.push_back(add(bytes_of(output)));
    block_bytes_ = end;
  }

  int device() const { return device_; }
  const planning::Plan& plan() const { return plan_; }
  /// In the order in which they run.
  const std::vector<Task>& tasks() const { return tasks_; }

  static std::size_t bytes_of(const planning::Place& output) {
    return std::size_t(count(output.dims)) * item_size(output.dtype);
  }
  std::size_t block_bytes() const { return block_bytes_; }
  std::size_t input_at(std::size_t i) const { return inputs_[i]; }
  std::size_t output_at(std::size_t k) const { return outputs_[k]; }
  /// The memory that cuDNN works in: the most that a graph needs.
  std::size_t workspace_bytes() const {
    std::size_t most = 0;
    for (const Task& task : tasks_)
      if (task.graph && task.graph->workspace_bytes() > most) most = task.graph->workspace_bytes();
    return most;
  }

  /// Bytes of a block without the inputs and the results.
  std::size_t working_bytes() const { return working_bytes_; }

  /// The arguments of all tasks in a block.
  std::vector<void*> arguments_in(std::byte* block) const {
    std::vector<std::byte*> inputs, outputs;
    for (const std::size_t at : inputs_) inputs.push_back(block + at);
    for (const std::size_t at : outputs_) outputs.push_back(block + at);
    return arguments_in(block, inputs, outputs);
  }
  /// With inputs and results outside of it, on the same device.
  std::vector<void*> arguments_in(std::byte* block, const std::vector<std::byte*>& inputs,
                                  const std::vector<std::byte*>& outputs) const {
    std::vector<void*> arguments;
    for (const Address& a : addresses_) {
      std::byte* const base = a.source == planning::Source::weights  ? weights_[std::size_t(a.index)]
                              : a.source == planning::Source::input  ? inputs[std::size_t(a.index)]
                              : a.source == planning::Source::output ? outputs[std::size_t(a.index)]
                                                                     : block;
      arguments.push_back(base + a.offset);
    }
    return arguments;
  }
  /// Enqueues all tasks.
  void run(Context& context, std::byte* block, void* const* arguments) const {
    const DeviceGuard guard(device_);
    for (const Task& task : tasks_)
      if (task.graph) task.graph->execute(context.cudnn(), arguments + task.first, block + workspace_at_);
      else module_.launch(task.kernel, arguments + task.first, context.stream());
  }

 private:
  /// What is needed while the tasks are made.
  struct Making {
    DeviceProperties properties;
    std::vector<Kernel> kernels{};
  };
  Module load();
  void add_step(int number, Making& making);
  bool add_graph(int number, Reach reach, Making& making);
  void add_rest(int number, Reach reach, Making& making);
  void add_kernel(int number, KernelCall call, const std::vector<planning::Place>& operands, Making& making);

  const planning::Place* operands_of(const planning::Step& step) const {
    return plan_.operands.data() + step.first_operand;
  }
  void add_address(const planning::Place& place) {
    addresses_.push_back({place.source, place.index, std::size_t(place.offset) * sizeof(float)});
  }
  void add_parameter(int number, int k) {
    const planning::Step& step = plan_.steps[std::size_t(number)];
    addresses_.push_back({planning::Source::weights, number, std::size_t(step.packed[k]) * sizeof(float)});
  }
  KernelTensor tensor_at(const planning::Place& place) const {
    const bool last = place.layout != Layout::planar && place.dims.rank == 4;
    return {place.dims, element_type(place, options_), last ? Layout::channels_last : Layout::planar};
  }
};

[[gnu::cold]] inline Module DevicePlan::load() {
  const DeviceGuard guard(device_);
  Making making{DeviceProperties(device_)};
  for (int i = 0; i < int(plan_.steps.size()); ++i) add_step(i, making);
  return Module(making.kernels);
}

/// As much as cuDNN does in one call, and the rest by a kernel that goes over the result; or all of it by a kernel.
[[gnu::cold]] inline void DevicePlan::add_step(int number, Making& making) {
  const planning::Step& step = plan_.steps[std::size_t(number)];
  if (step.operands == 0 || count(step.out.dims) == 0) return;
  for (const Reach reach : {Reach::everything, Reach::bias, Reach::producer})
    if (add_graph(number, reach, making)) return add_rest(number, reach, making);
  KernelCall call{.operation = step.operation,
                  .has_residual = step.has_residual,
                  .activation = step.activation,
                  .weights = weight_type(step, options_)};
  for (int k = 0; k < 4; ++k) call.parameters[k] = step.packed[k] >= 0;
  add_kernel(number, call, {operands_of(step), operands_of(step) + step.operands}, making);
}

[[gnu::cold]] inline bool DevicePlan::add_graph(int number, Reach reach, Making& making) {
  const planning::Step& step = plan_.steps[std::size_t(number)];
  const planning::Place* const operands = operands_of(step);
  const Lowered lowered = lower(step, operands[0], options_, reach);
  if (!lowered.possible) return false;
  const ExecutionPlan* const graph =
      PlanCache::of_process().find(lowered.graph, making.properties, {options_.deterministic});
  if (!graph) return false;
  tasks_.push_back({.graph = graph, .first = int(addresses_.size())});
  add_address(operands[0]);
  const bool producer = role_of(step.operation) == ops::Role::producer;
  if (producer) add_parameter(number, 0);
  if (producer && reach != Reach::producer) add_parameter(number, 1);
  if (reach == Reach::everything && step.has_residual) add_address(operands[step.operands - 1]);
  add_address(step.out);
  return true;
}

/// Bias, residual and activation over the result of a graph that left them out.
[[gnu::cold]] inline void DevicePlan::add_rest(int number, Reach reach, Making& making) {
  const planning::Step& step = plan_.steps[std::size_t(number)];
  const bool activates = step.activation.kind != ops::Activation::Kind::identity;
  if (reach == Reach::everything || (reach == Reach::bias && !step.has_residual && !activates)) return;
  KernelCall call{
      .operation = operation_of(ops::Activation{}), .has_residual = step.has_residual, .activation = step.activation};
  std::vector<planning::Place> operands{step.out};
  if (reach == Reach::producer) {
    call.operation = operation_of(ops::Binary{.kind = ops::Binary::Kind::add});
    const idx channels = detail::producer_of(step.operation, operands_of(step)->dims, step.out.dims).result[1];
    // Channels are dimension 1 of images, and the last one of what a linear layer makes.
    operands.push_back({.source = planning::Source::weights,
                        .index = number,
                        .offset = step.packed[1],
                        .dims = is<ops::Linear>(step.operation) ? Dims{channels} : Dims{channels, 1, 1}});
  }
  if (step.has_residual) operands.push_back(operands_of(step)[step.operands - 1]);
  add_kernel(number, call, operands, making);
}

/// A kernel on these operands, the residual last.
[[gnu::cold]] inline void DevicePlan::add_kernel(int number, KernelCall call,
                                                 const std::vector<planning::Place>& operands, Making& making) {
  tasks_.push_back({.kernel = int(making.kernels.size()), .first = int(addresses_.size())});
  std::vector<KernelTensor> tensors;
  for (const planning::Place& operand : operands) {
    tensors.push_back(tensor_at(operand));
    add_address(operand);
  }
  const planning::Step& step = plan_.steps[std::size_t(number)];
  for (int k = 0; k < 4; ++k)
    if (call.parameters[k]) add_parameter(number, k);
  add_address(step.out);
  call.operands = tensors.data();
  call.operand_count = int(tensors.size());
  call.out = tensor_at(step.out);
  making.kernels.push_back(kernel_of(call));
}

}  // namespace lamina::gpu
