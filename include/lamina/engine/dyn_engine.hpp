/// The compiled model for inputs whose extents only the run knows: a plan for every size.
#pragma once
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

/// Packed weights of a net that several plans share: what a step packs depends on its parameters and its method alone.
template <std::uint64_t Kernels> class PackedWeights {
  struct Block {
    int weight;
    std::uint8_t method;
    int norm;
    Storage storage;
  };
  std::vector<Block> blocks;

 public:
  /// The block of a step; packed at the first time.
  const float* of(const Step& step, const calls::ModelTensors& tensors) {
    const auto data = [](const Block& b) { return reinterpret_cast<const float*>(b.storage.data()); };
    for (const Block& b : blocks)
      if (b.weight == step.parameters[0] && b.method == step.method && b.norm == step.norm[2]) return data(b);
    Block fresh{step.parameters[0], step.method, step.norm[2],
                Storage::uninitialized(std::size_t(step.weight_floats) * sizeof(float))};
    pack<Kernels>(step, tensors, reinterpret_cast<float*>(fresh.storage.data()));
    blocks.push_back(std::move(fresh));
    return data(blocks.back());
  }
  void clear() { blocks.clear(); }
};
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
    Dims dims[sizeof...(Spec)];
    Plan plan;
    execution::Program program{};
    mutable calls::Lender<execution::CallState<result_type_>> states{};
    const Size* next = nullptr;  ///< sizes are a list that only grows, so that it is read without a lock

    Size(const Dims (&d)[sizeof...(Spec)], Plan p) : plan(std::move(p)) {
      for (std::size_t i = 0; i < sizeof...(Spec); ++i) dims[i] = d[i];
      program = {plan.steps.data(), int(plan.steps.size()), plan.operands.data(), plan.memory, {}};
    }
  };
  struct Shared {
    Net net;  ///< recorded anew for every size
    std::atomic<const Size*> sizes{nullptr};
    std::mutex mutex;
    execution::PackedWeights<kernels> packed;

    explicit Shared(const Net& source) : net(source) {}
    explicit Shared(Net&& source) : net(std::move(source)) {}
    ~Shared() {
      for (const Size* size = sizes.load(); size;) delete std::exchange(size, size->next);
    }
  };
  Owned<Shared> shared;

  const Size* find(const Dims (&dims)[sizeof...(Spec)]) const {
    const Size* size = shared->sizes.load(std::memory_order_acquire);
    const auto same = [&](const Size& other) {
      for (std::size_t i = 0; i < sizeof...(Spec); ++i)
        if (dims[i] != other.dims[i]) return false;
      return true;
    };
    while (size && !same(*size)) size = size->next;
    return size;
  }

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
  const Plan& plan(const Dims (&dims)[sizeof...(Spec)]) const { return prepare(dims).plan; }

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
    if (const Size* known = find(dims)) return *known;
    const std::lock_guard lock(shared->mutex);
    if (const Size* known = find(dims)) return *known;
    Owned<Size> size(new Size(dims, planning::plan_of<host::Backend, Options, Spec...>(shared->net, dims)));
    const calls::ModelTensors tensors = stored_tensors(std::as_const(shared->net));
    for (const Step& step : size->plan.steps) size->program.weights.push_back(shared->packed.of(step, tensors));
    size->next = shared->sizes.load(std::memory_order_relaxed);
    const Size* const made = size.release();
    shared->sizes.store(made, std::memory_order_release);
    return *made;
  }
};

}  // namespace lamina::inline LAMINA_ISA
