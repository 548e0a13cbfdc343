/// The compiled model for inputs whose extents only the run knows: a plan for every size.
#pragma once
#include "packed_blocks.hpp"
#include "sizes.hpp"
#include "static_engine.hpp"

namespace lamina::inline LAMINA_ISA {

namespace execution {
/// The kernels of the operations that a forward uses, whatever its extents.
template <class Net, CompileOptions Options, class... Spec> constexpr std::uint64_t kernels_of_type() {
  std::uint64_t mask = host::bit_of<ops::Copy> | host::Backend::any_method(Options);
  const Graph graph = record_graph<Net, Spec...>();
  for (const Node& node : graph.nodes) mask |= std::uint64_t(1) << node.operation.index();
  return mask;
}
}  // namespace execution

/// With dyn extents the plan is made at the first call of every new size, by the same functions, and kept. Packed
/// weights are shared by all sizes.
template <class Net, CompileOptions Options, class... Spec>
  requires(!(is_static(input_spec<Spec>::shape_type::dims) && ...))
class Engine<Net, Options, Spec...> {
  static_assert(execution::computes_in<Options>, "lamina: the CPU computes in float32 or bfloat16");
  static constexpr std::uint64_t kernels = execution::kernels_of_type<Net, Options, Spec...>();
  using result_type_ = calls::results_of<Net, Spec...>;

  /// A size: its plan, and the memory of calls of this size.
  struct Size {
    planning::Plan plan;
    execution::Program program{};
    mutable calls::Lender<execution::CallState<result_type_>> states{};

    /// weights_of(step): its packed weights.
    template <class WeightsOf> Size(planning::Plan p, const WeightsOf& weights_of) : plan(std::move(p)) {
      program = {plan.steps.data(), int(plan.steps.size()), plan.operands.data(), plan.memory, {}};
      for (const planning::Step& step : plan.steps)
        program.weights.push_back(reinterpret_cast<float*>(weights_of(step)));
    }
  };
  struct Shared {
    Net net;  ///< recorded anew for every size
    calls::Sizes<Size, sizeof...(Spec)> sizes{};
    calls::PackedBlocks packed{};

    explicit Shared(const Net& source) : net(source) {}
    explicit Shared(Net&& source) : net(std::move(source)) {}
  };
  detail::Owned<Shared> shared;

 public:
  using result_type = result_type_;

  explicit Engine(const Net& source) : shared(new Shared(source)) {}
  explicit Engine(Net&& source) : shared(new Shared(std::move(source))) {}

  template <class... X>
    requires(sizeof...(X) == sizeof...(Spec))
  result_type operator()(const X&... x) const {
    (calls::require_argument<Spec, X>(), ...);
    (calls::require_extents(input_spec<Spec>::shape_type::dims, x.dims()), ...);
    const Size& size = prepare({x.dims()...});
    const typename calls::Lender<execution::CallState<result_type>>::Loan state(size.states);
    result_type& result = state->results.fresh(size.plan.outputs.data());
    calls::with_addresses(
        [&](const void* const* inputs, void* const* outputs) {
          const int threads = num_threads();
          execution::Workspace& workspace = state->workspace;
          workspace.prepare(size.program, threads);
          execution::run_steps<kernels>(size.program, reinterpret_cast<float*>(workspace.arena.data()), inputs, outputs,
                                        threads, workspace.room);
        },
        result, x...);
    return result;
  }

  /// The plan for inputs of these extents, made at the first time. On an exception the engine stays as it was.
  const planning::Plan& plan(const Dims (&dims)[sizeof...(Spec)]) const { return prepare(dims).plan; }

  /// As above; the net is the engine's own.
  template <class Take, class... X>
    requires(sizeof...(X) == sizeof...(Spec))
  void step_through(Take&& take, const X&... x) const {
    (calls::require_argument<Spec, X>(), ...);
    (calls::require_extents(input_spec<Spec>::shape_type::dims, x.dims()), ...);
    const Size& size = prepare({x.dims()...});
    const typename calls::Lender<execution::CallState<result_type>>::Loan state(size.states);
    calls::with_addresses(
        [&](const void* const* inputs, void* const* outputs) {
          execution::step_through<kernels>(take, shared->net, size.program, state->workspace, inputs, outputs);
        },
        state->results.fresh(size.plan.outputs.data()), x...);
  }

  /// Takes over the parameters of `net`: all sizes are planned and packed anew. No call may run meanwhile.
  void refresh(const Net& net) { *this = Engine(net); }

 private:
  const Size& prepare(const Dims (&dims)[sizeof...(Spec)]) const {
    return shared->sizes.get(dims, [&] {
      const calls::ModelTensors tensors = stored_tensors(std::as_const(shared->net));
      const auto pack = [&](const planning::Step& step, Storage& block) {
        block = Storage::uninitialized(std::size_t(step.weight_floats) * sizeof(float));
        execution::pack<kernels>(step, tensors, reinterpret_cast<float*>(block.data()));
      };
      return Size(planning::plan_of<host::Backend, Options, Spec...>(shared->net, dims),
                  [&](const planning::Step& step) { return shared->packed.of(step, tensors, pack); });
    });
  }
};

}  // namespace lamina::inline LAMINA_ISA
