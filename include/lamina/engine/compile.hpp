/// compile<Shape<...>>(net): the compiled model. It owns a packed copy of the weights; the net stays as it is and may
/// go.
#pragma once
#include "../core/owned.hpp"
#include "../meta/counts.hpp"
#include "../threads/pool.hpp"
#include "pack.hpp"
#include "run.hpp"
#include "static_plan.hpp"
#include <optional>
#include <span>
#include <tuple>

namespace lamina::inline LAMINA_ISA {

namespace execution {
/// What a forward returns, as tensors.
template <class T> struct tensors_of;
template <class S, class T> struct tensors_of<Meta<S, T>> {
  using type = Tensor<T, S>;
};
template <class... M> struct tensors_of<std::tuple<M...>> {
  using type = std::tuple<typename tensors_of<M>::type...>;
};
template <class A, class B> struct tensors_of<std::pair<A, B>> {
  using type = std::tuple<typename tensors_of<A>::type, typename tensors_of<B>::type>;
};
template <class Net, class... Spec> using results_of = typename tensors_of<detail::meta_result<Net, Spec...>>::type;

template <class T> inline constexpr bool is_tuple = false;
template <class... T> inline constexpr bool is_tuple<std::tuple<T...>> = true;

/// An argument of a compiled model has the declared element type and extents that fit the declared ones.
template <class Spec, class X> constexpr void require_argument() {
  if constexpr (!is_tensor<X> && !is_tensor_view<X>)
    fail<Text{} << "a compiled model takes tensors; it was called with " << class_name<X>()>();
  else if constexpr (!std::is_same_v<typename X::value_type, typename input_spec<Spec>::value_type>)
    fail<Text{} << "this model is compiled for elements of type "
                << dtype_name(dtype_of<typename input_spec<Spec>::value_type>) << ", not "
                << dtype_name(dtype_of<typename X::value_type>)>();
  else if constexpr (!compatible(input_spec<Spec>::shape_type::dims, X::shape_type::dims))
    fail<Text{} << "this model is compiled for " << input_spec<Spec>::shape_type::dims << "; the argument is "
                << X::shape_type::dims>();
}
[[gnu::noinline]] inline void require_extents(const Dims& declared, const Dims& dims) {
  if (!compatible(declared, dims))
    throw shape_error(
        std::string((Text{} << "this model is compiled for " << declared << "; the argument is " << dims).view()));
}

/// Calls f(each) for the tensor, or each tensor of the tuple.
template <class Result, class F> void for_each_result(Result& result, F&& f) {
  if constexpr (is_tuple<Result>) std::apply([&](auto&... each) { (f(each), ...); }, result);
  else f(result);
}
/// New tensors for the results.
template <class Result> Result make_results(const Place* outputs) {
  if constexpr (is_tuple<Result>) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return Result(std::tuple_element_t<I, Result>(outputs[I].dims)...);
    }(std::make_index_sequence<std::tuple_size_v<Result>>{});
  } else return Result(outputs[0].dims);
}

/// A call's memory, and the results of the last call: their memory is used again as soon as nobody else holds it.
template <class Result> struct CallState {
  Workspace workspace{};
  std::optional<Result> results{};

  Result& fresh_results(const Place* outputs) {
    bool free = results.has_value();
    int k = 0;
    if (free)
      for_each_result(*results, [&](auto& y) { free = free && y.storage().unique() && y.dims() == outputs[k++].dims; });
    if (!free) results = make_results<Result>(outputs);
    return *results;
  }
};

/// Calls f with arrays of the arguments' and results' addresses.
template <class Result, class F, class... X> void with_addresses(F&& f, Result& result, const X&... x) {
  const void* const inputs[] = {x.data()...};
  if constexpr (is_tuple<Result>) {
    std::apply(
        [&](auto&... y) {
          void* const outputs[] = {y.data()...};
          f(inputs, outputs);
        },
        result);
  } else {
    void* const outputs[] = {result.data()};
    f(inputs, outputs);
  }
}

/// Packs the weights of all steps side by side. `versions` gets what they were made from.
template <std::uint64_t Kernels>
Storage pack_weights(Program& program, const ModelTensors& tensors, idx floats, std::vector<std::uint64_t>& versions) {
  Storage packed = Storage::uninitialized(std::size_t(floats) * sizeof(float));
  float* const data = reinterpret_cast<float*>(packed.data());
  for (int i = 0; i < program.count; ++i) {
    const Step& step = program.steps[i];
    pack<Kernels>(step, tensors, data + step.weights);
    program.weights.push_back(data + step.weights);
    versions.push_back(version_of(step, tensors));
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
  using Static = StaticPlan<Net, Options, Spec...>;

 public:
  /// A tensor, or a tuple of tensors where the forward returns several.
  using result_type = execution::results_of<Net, Spec...>;

 private:
  struct Shared {
    execution::Program program;
    Storage packed;
    std::vector<std::uint64_t> versions;
    execution::Lender<execution::CallState<result_type>> states;
  };
  Owned<Shared> shared{new Shared};

 public:
  explicit Engine(const Net& net);
  explicit Engine(Net&& net);  ///< as freeze() does

  template <class... X>
    requires(sizeof...(X) == sizeof...(Spec))
  result_type operator()(const X&... x) const {
    (execution::require_argument<Spec, X>(), ...);
    (execution::require_extents(input_spec<Spec>::shape_type::dims, x.dims()), ...);
    const typename execution::Lender<execution::CallState<result_type>>::Loan state(shared->states);
    result_type& result = state->fresh_results(Static::table.outputs.data());
    execution::with_addresses(
        [&](const void* const* inputs, void* const* outputs) { run(inputs, outputs, state->workspace); }, result, x...);
    return result;
  }

  /// Runs all steps; the caller owns one row-major tensor an input and an output.
  void run(const void* const* inputs, void* const* outputs) const {
    const typename execution::Lender<execution::CallState<result_type>>::Loan state(shared->states);
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
  const typename execution::Lender<execution::CallState<result_type>>::Loan state(shared->states);
  execution::Workspace& workspace = state->workspace;
  workspace.prepare_room(shared->program, threads);
  execution::run_steps<Static::table.kernels>(shared->program, reinterpret_cast<float*>(memory.data()), inputs, outputs,
                                              threads, workspace.room);
}

template <class Net, CompileOptions Options, class... Spec>
void Engine<Net, Options, Spec...>::refresh(const Net& net) {
  const execution::ModelTensors tensors = stored_tensors(net);
  for (int i = 0; i < shared->program.count; ++i) {
    const Step& step = shared->program.steps[i];
    const std::uint64_t version = execution::version_of(step, tensors);
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
  (execution::require_argument<Spec, X>(), ...);
  (execution::require_extents(input_spec<Spec>::shape_type::dims, x.dims()), ...);
  const typename execution::Lender<execution::CallState<result_type>>::Loan state(shared->states);
  execution::with_addresses(
      [&](const void* const* inputs, void* const* outputs) {
        execution::step_through<Static::table.kernels>(take, Net{}, shared->program, state->workspace, inputs, outputs);
      },
      state->fresh_results(Static::table.outputs.data()), x...);
}

namespace execution {
/// The kernels of the operations that a forward uses, whatever its extents.
template <class Net, CompileOptions Options, class... Spec> constexpr std::uint64_t kernels_of_type() {
  std::uint64_t mask = cpu::bit_of<ops::Copy> | cpu::Backend::any_method(Options);
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
  const float* of(const Step& step, const ModelTensors& tensors) {
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
  static constexpr std::uint64_t kernels = execution::kernels_of_type<Net, Options, Spec...>();
  using result_type_ = execution::results_of<Net, Spec...>;

  /// A size: its plan, and the memory of calls of this size.
  struct Size {
    Dims dims[sizeof...(Spec)];
    Plan plan;
    execution::Program program{};
    mutable execution::Lender<execution::CallState<result_type_>> states{};
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
    (execution::require_argument<Spec, X>(), ...);
    (execution::require_extents(input_spec<Spec>::shape_type::dims, x.dims()), ...);
    const Size& size = prepare({x.dims()...});
    const typename execution::Lender<execution::CallState<result_type>>::Loan state(size.states);
    result_type& result = state->fresh_results(size.plan.outputs.data());
    execution::with_addresses(
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
    (execution::require_argument<Spec, X>(), ...);
    (execution::require_extents(input_spec<Spec>::shape_type::dims, x.dims()), ...);
    const Size& size = prepare({x.dims()...});
    const typename execution::Lender<execution::CallState<result_type>>::Loan state(size.states);
    execution::with_addresses(
        [&](const void* const* inputs, void* const* outputs) {
          execution::step_through<kernels>(take, shared->net, size.program, state->workspace, inputs, outputs);
        },
        state->fresh_results(size.plan.outputs.data()), x...);
  }

  /// Takes over the parameters of `net`: all sizes are planned and packed anew. No call may run meanwhile.
  void refresh(const Net& net) { *this = Engine(net); }

 private:
  const Size& prepare(const Dims (&dims)[sizeof...(Spec)]) const {
    if (const Size* known = find(dims)) return *known;
    const std::lock_guard lock(shared->mutex);
    if (const Size* known = find(dims)) return *known;
    Owned<Size> size(new Size(dims, planning::plan_of<cpu::Backend, Options, Spec...>(shared->net, dims)));
    const execution::ModelTensors tensors = stored_tensors(std::as_const(shared->net));
    for (const Step& step : size->plan.steps) size->program.weights.push_back(shared->packed.of(step, tensors));
    size->next = shared->sizes.load(std::memory_order_relaxed);
    const Size* const made = size.release();
    shared->sizes.store(made, std::memory_order_release);
    return *made;
  }
};

/// Compiles a model for inputs of these extents: `compile<Shape<1, 3, 224, 224>>(net)`, with dyn where they vary, and
/// `Tensor<std::int64_t, Shape<8>>` for an input of another type. The counterpart of torch.compile.
template <class... Spec, class Net> Engine<Net, CompileOptions{}, Spec...> compile(const Net& net) {
  return Engine<Net, CompileOptions{}, Spec...>(net);
}
/// With options: `compile<CompileOptions{.accuracy = Accuracy::exact}, Shape<1, 3, 224, 224>>(net)`.
template <CompileOptions Options, class... Spec, class Net> Engine<Net, Options, Spec...> compile(const Net& net) {
  return Engine<Net, Options, Spec...>(net);
}

/// Compiles a model and frees the memory of its parameters: `auto engine = freeze<Shape<1, 3, 224,
/// 224>>(std::move(net))`. What is left are the packed weights. The net's parameters are without values; refresh()
/// takes a net that has some. With dyn extents the engine keeps the parameters, since later sizes may pack them
/// otherwise, but no copy of them. Throws as compile does, and then the net has lost nothing. The counterpart of
/// torch.jit.freeze.
template <CompileOptions Options, class... Spec, class Net> auto freeze(Net&& net) {
  static_assert(std::is_same_v<Net, std::remove_cvref_t<Net>>,
                "lamina: freeze takes the parameters away from the net: write freeze<...>(std::move(net))");
  return Engine<std::remove_cvref_t<Net>, Options, Spec...>(std::move(net));
}
template <class... Spec, class Net> auto freeze(Net&& net) {
  return freeze<CompileOptions{}, Spec...>(std::forward<Net>(net));
}

}  // namespace lamina::inline LAMINA_ISA
