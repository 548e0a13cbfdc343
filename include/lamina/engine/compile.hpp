/// compile<Shape<...>>(net): the compiled model. It owns its arena and a packed copy of the weights; the net stays as
/// it is and may go.
#pragma once
#include "../meta/counts.hpp"
#include "pack.hpp"
#include "run.hpp"
#include "static_plan.hpp"
#include <tuple>

namespace lamina::inline LAMINA_ISA {

namespace execution {
/// What a forward returns, as tensors.
template <class T> struct tensors_of;
template <class S, class T> struct tensors_of<Meta<S, T>> { using type = Tensor<T, S>; };
template <class... M> struct tensors_of<std::tuple<M...>> { using type = std::tuple<typename tensors_of<M>::type...>; };
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
template <class Spec> void require_extents(const Dims& dims) {
  if (!compatible(input_spec<Spec>::shape_type::dims, dims))
    throw shape_error(std::string(
        (Text{} << "this model is compiled for " << input_spec<Spec>::shape_type::dims << "; the argument is " << dims)
            .view()));
}

/// Operands of the widest step.
template <class Table> constexpr int widest(const Table& steps) {
  int n = 1;
  for (const Step& step : steps)
    if (step.operands > n) n = step.operands;
  return n;
}

/// Packs the weights of all steps.
inline Storage pack_weights(const ModelTensors& parameters, std::span<const Step> steps, idx floats) {
  Storage packed(std::size_t(floats) * sizeof(float));
  for (const Step& step : steps) pack(step, parameters, reinterpret_cast<float*>(packed.data()));
  return packed;
}

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
/// New tensors for the results.
template <class Result, class Places> Result make_results(const Places& outputs) {
  if constexpr (is_tuple<Result>) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return Result(std::tuple_element_t<I, Result>(outputs[I].dims)...);
    }
    (std::make_index_sequence<std::tuple_size_v<Result>>{});
  } else return Result(outputs[0].dims);
}
}  // namespace execution

/// A compiled model. Calls allocate the results and nothing else; one call at a time.
template <class Net, class... Spec> class Engine {
  using Static = StaticPlan<Net, Spec...>;
  Storage arena, packed;

 public:
  /// A tensor, or a tuple of tensors where the forward returns several.
  using result_type = execution::results_of<Net, Spec...>;

  explicit Engine(const Net& net);
  template <class... X>
  requires(sizeof...(X) == sizeof...(Spec)) result_type operator()(const X&... x) {
    (execution::require_argument<Spec, X>(), ...);
    (execution::require_extents<Spec>(x.dims()), ...);
    result_type result = execution::make_results<result_type>(Static::table.outputs);
    execution::with_addresses([&](const void* const* inputs, void* const* outputs) { run(inputs, outputs); }, result,
                              x...);
    return result;
  }
  /// Runs all steps on memory that the caller owns: one row-major tensor an input and an output.
  void run(const void* const* inputs, void* const* outputs);

  static constexpr const auto& plan() { return Static::table; }
};

// Defined outside the class, so that `extern template` holds their code back: members in a class body are inline.
template <class Net, class... Spec>
Engine<Net, Spec...>::Engine(const Net& net)
    : arena(std::size_t(Static::table.arena) * sizeof(float)),
      packed(execution::pack_weights(stored_tensors(std::as_const(net)), Static::table.steps, Static::table.packed)) {}

template <class Net, class... Spec> void Engine<Net, Spec...>::run(const void* const* inputs, void* const* outputs) {
  float* const floats = reinterpret_cast<float*>(arena.data());
  const execution::Memory memory{floats, reinterpret_cast<const float*>(packed.data()), inputs, outputs,
                                 floats + Static::table.scratch_offset};
  cpu::Input room[execution::widest(Static::table.steps)];
  for (const Step& step : Static::table.steps)
    execution::run_step<Static::table.kernels>(step, Static::table.operands.data(), memory, room);
}

namespace execution {
/// The operations that a forward uses, whatever its extents.
template <class Net, class... Spec> constexpr std::uint64_t kernels_of_type() {
  std::uint64_t mask = cpu::bit_of<ops::Identity>;
  const Graph graph = record_graph<Net, Spec...>();
  for (const Node& node : graph.nodes) mask |= std::uint64_t(1) << node.operation.index();
  return mask;
}
}  // namespace execution

/// With dyn extents the plan is made at the first call of every new size, by the same functions. Weights are packed
/// once; they do not depend on the extents.
template <class Net, class... Spec>
requires(!(is_static(input_spec<Spec>::shape_type::dims) && ...)) class Engine<Net, Spec...> {
  static constexpr std::uint64_t kernels = execution::kernels_of_type<Net, Spec...>();
  Net net;  ///< recorded anew for every size
  Plan current{};
  Dims planned[sizeof...(Spec)]{};
  Storage arena{}, packed{};
  std::vector<cpu::Input> room{};

 public:
  using result_type = execution::results_of<Net, Spec...>;

  explicit Engine(const Net& source) : net(source) {}
  template <class... X>
  requires(sizeof...(X) == sizeof...(Spec)) result_type operator()(const X&... x) {
    (execution::require_argument<Spec, X>(), ...);
    (execution::require_extents<Spec>(x.dims()), ...);
    prepare({x.dims()...});
    result_type result = execution::make_results<result_type>(current.outputs);
    execution::with_addresses([&](const void* const* inputs, void* const* outputs) { run(inputs, outputs); }, result,
                              x...);
    return result;
  }
  /// Plans for these extents unless that is the current plan. On an exception the engine stays as it was.
  void prepare(const Dims (&dims)[sizeof...(Spec)]) {
    if (packed && std::equal(std::begin(dims), std::end(dims), std::begin(planned))) return;
    Plan next = execution::plan_of<Spec...>(net, dims);
    Storage memory(std::size_t(next.arena) * sizeof(float));
    if (!packed) packed = execution::pack_weights(stored_tensors(std::as_const(net)), next.steps, next.packed);
    room.resize(std::size_t(execution::widest(next.steps)));
    arena = std::move(memory);
    current = std::move(next);
    std::copy(std::begin(dims), std::end(dims), std::begin(planned));
  }
  void run(const void* const* inputs, void* const* outputs) {
    float* const floats = reinterpret_cast<float*>(arena.data());
    const execution::Memory memory{floats, reinterpret_cast<const float*>(packed.data()), inputs, outputs,
                                   floats + current.scratch_offset};
    for (const Step& step : current.steps)
      execution::run_step<kernels>(step, current.operands.data(), memory, room.data());
  }
  const Plan& plan() const { return current; }
};

/// Compiles a model for inputs of these extents: `compile<Shape<1, 3, 224, 224>>(net)`, with dyn where they vary, and
/// `Tensor<std::int64_t, Shape<8>>` for an input of another type. The counterpart of torch.compile.
template <class... Spec, class Net> Engine<Net, Spec...> compile(const Net& net) { return Engine<Net, Spec...>(net); }

}  // namespace lamina::inline LAMINA_ISA
