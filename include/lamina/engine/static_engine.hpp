/// The compiled model for inputs of static extents: its plan is a constant.
#pragma once
#include "../core/list.hpp"
#include "../threads/pool.hpp"
#include "call.hpp"
#include "lender.hpp"
#include "pack.hpp"
#include "run.hpp"
#include "static_plan.hpp"
#include <span>

namespace lamina::inline LAMINA_ISA {

namespace execution {
/// True for the precisions of the CPU.
template <CompileOptions Options>
inline constexpr bool computes_in = Options.precision == Precision::float32 || Options.precision == Precision::bfloat16;

/// What one call changes: its memory, and the results that it fills.
template <class Result> struct CallState {
  Workspace workspace{};
  calls::Results<Result> results{};
};

/// Packs the weights of all steps side by side. `versions` gets what they were made from.
template <std::uint64_t Kernels>
Storage pack_weights(Program& program, const calls::ModelTensors& tensors, idx floats,
                     detail::List<std::uint64_t>& versions) {
  Storage packed = Storage::uninitialized(std::size_t(floats) * sizeof(float));
  float* const data = reinterpret_cast<float*>(packed.data());
  for (int i = 0; i < program.count; ++i) {
    const planning::Step& step = program.steps[i];
    pack<Kernels>(step, tensors, data + step.weights);
    program.weights.push_back(data + step.weights);
    versions.push_back(calls::version_of(step, tensors));
  }
  return packed;
}

/// The call that a step_through of an engine describes.
template <std::uint64_t Kernels, class Take, class Net>
void step_through(Take& take, const Net& net, const Program& program, Workspace& workspace, const void* const* inputs,
                  void* const* outputs) {
  const int threads = num_threads();
  workspace.prepare(program, threads);
  const Memory memory{program, reinterpret_cast<float*>(workspace.arena.data()), inputs, outputs, threads};
  take(net, program, [&](int i) { run_step<Kernels>(i, memory, workspace.room.data()); });
}
}  // namespace execution

/// A compiled model. After the first call, calls allocate nothing as long as the results of earlier ones are not kept,
/// and on one thread take no lock. Several threads may call it at the same time.
template <class Net, CompileOptions Options, class... Spec> class Engine {
  static_assert(execution::computes_in<Options>, "lamina: the CPU computes in float32 or bfloat16");
  using Static = StaticPlan<Net, Options, Spec...>;

 public:
  /// A tensor, or a tuple of tensors where the forward returns several.
  using result_type = calls::results_of<Net, Spec...>;

 private:
  struct Shared {
    execution::Program program;
    Storage packed;
    detail::List<std::uint64_t> versions;
    calls::Lender<execution::CallState<result_type>> states;
  };
  detail::Owned<Shared> shared{new Shared};

 public:
  explicit Engine(const Net& net);
  explicit Engine(Net&& net);  ///< as freeze() does

  template <class... X>
    requires(sizeof...(X) == sizeof...(Spec))
  result_type operator()(const X&... x) const {
    (calls::require_argument<Spec, X>(), ...);
    (calls::require_extents(input_spec<Spec>::shape_type::dims, x.dims()), ...);
    const typename calls::Lender<execution::CallState<result_type>>::Loan state(shared->states);
    result_type& result = state->results.fresh(Static::table.outputs.data());
    calls::with_addresses(
        [&](const void* const* inputs, void* const* outputs) { run(inputs, outputs, state->workspace); }, result, x...);
    return result;
  }

  /// Runs all steps; the caller owns one row-major tensor an input and an output.
  void run(const void* const* inputs, void* const* outputs) const {
    const typename calls::Lender<execution::CallState<result_type>>::Loan state(shared->states);
    run(inputs, outputs, state->workspace);
  }
  /// The same in memory of the caller: at least memory_bytes(1) bytes, aligned to storage_alignment. It runs on as many
  /// threads as the memory is enough for.
  void run(const void* const* inputs, void* const* outputs, std::span<std::byte> memory) const;

  /// Bytes that a call on so many threads needs beside inputs, outputs and weights.
  static constexpr std::size_t memory_bytes(int threads) {
    return std::size_t(Static::table.memory.floats(threads)) * sizeof(float);
  }

  /// Packs the weights again of those layers of `net` whose parameters were written since. No call may run meanwhile.
  void refresh(const Net& net);

  static constexpr const auto& plan() { return Static::table; }

  /// A call step by step: take(net, program, run) gets a net with the layers of the plan, the program of all steps, and
  /// run(i), which runs step number i for the first micro-batch. Steps are to run in order, all of them as often as
  /// wanted.
  template <class Take, class... X>
    requires(sizeof...(X) == sizeof...(Spec))
  void step_through(Take&& take, const X&... x) const;

 private:
  void run(const void* const* inputs, void* const* outputs, execution::Workspace& workspace) const;
};

// Defined outside the class, so that `extern template` holds their code back: members in a class body are inline.
template <class Net, CompileOptions Options, class... Spec> Engine<Net, Options, Spec...>::Engine(const Net& net) {
  const auto& table = Static::table;
  shared->program = {table.steps.data(), int(table.steps.size()), table.operands.data(), table.memory, {}};
  shared->packed =
      execution::pack_weights<table.kernels>(shared->program, stored_tensors(net), table.packed, shared->versions);
}

template <class Net, CompileOptions Options, class... Spec>
Engine<Net, Options, Spec...>::Engine(Net&& net) : Engine(std::as_const(net)) {
  for (const StoredTensor<Storage*>& tensor : stored_tensors(net)) *tensor.storage = Storage();
}

template <class Net, CompileOptions Options, class... Spec>
void Engine<Net, Options, Spec...>::run(const void* const* inputs, void* const* outputs,
                                        execution::Workspace& workspace) const {
  const int threads = num_threads();
  workspace.prepare(shared->program, threads);
  execution::run_steps<Static::table.kernels>(shared->program, reinterpret_cast<float*>(workspace.arena.data()), inputs,
                                              outputs, threads, workspace.room);
}

template <class Net, CompileOptions Options, class... Spec>
void Engine<Net, Options, Spec...>::run(const void* const* inputs, void* const* outputs,
                                        std::span<std::byte> memory) const {
  int threads = num_threads();
  while (threads > 1 && memory.size() < memory_bytes(threads)) --threads;
  if (memory.size() < memory_bytes(threads) || reinterpret_cast<std::uintptr_t>(memory.data()) % storage_alignment != 0)
    throw parameter_error(
        std::string((Text{} << "a call of this model needs " << idx(memory_bytes(1)) << " bytes of memory aligned to "
                            << idx(storage_alignment) << "; given are " << idx(memory.size()) << " bytes")
                        .view()));
  const typename calls::Lender<execution::CallState<result_type>>::Loan state(shared->states);
  execution::Workspace& workspace = state->workspace;
  workspace.prepare_room(shared->program, threads);
  execution::run_steps<Static::table.kernels>(shared->program, reinterpret_cast<float*>(memory.data()), inputs, outputs,
                                              threads, workspace.room);
}

template <class Net, CompileOptions Options, class... Spec>
void Engine<Net, Options, Spec...>::refresh(const Net& net) {
  const calls::ModelTensors tensors = stored_tensors(net);
  for (int i = 0; i < shared->program.count; ++i) {
    const planning::Step& step = shared->program.steps[i];
    const std::uint64_t version = calls::version_of(step, tensors);
    if (version == shared->versions[std::size_t(i)]) continue;
    execution::pack<Static::table.kernels>(step, tensors,
                                           reinterpret_cast<float*>(shared->packed.data()) + step.weights);
    shared->versions[std::size_t(i)] = version;
  }
}

template <class Net, CompileOptions Options, class... Spec>
template <class Take, class... X>
  requires(sizeof...(X) == sizeof...(Spec))
void Engine<Net, Options, Spec...>::step_through(Take&& take, const X&... x) const {
  (calls::require_argument<Spec, X>(), ...);
  (calls::require_extents(input_spec<Spec>::shape_type::dims, x.dims()), ...);
  const typename calls::Lender<execution::CallState<result_type>>::Loan state(shared->states);
  calls::with_addresses(
      [&](const void* const* inputs, void* const* outputs) {
        execution::step_through<Static::table.kernels>(take, Net{}, shared->program, state->workspace, inputs, outputs);
      },
      state->results.fresh(Static::table.outputs.data()), x...);
}

}  // namespace lamina::inline LAMINA_ISA
