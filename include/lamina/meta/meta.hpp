/// Meta evaluation: a forward called on `Meta` operands computes no elements. It checks shapes and records the graph of
/// values, in a constant expression or, for extents that are known only at run time, at run time.
#pragma once
#include "../core/error.hpp"
#include "../tensor/perform.hpp"
#include "graph.hpp"
#include <string>
#include <tuple>

namespace lamina {

/// An operand without elements: a value of the graph that is being recorded. `S` says what is known at compile time,
/// `dims` what is known now.
template <shape S, class T = float> struct Meta {
  using shape_type = S;
  using value_type = T;
  Graph* graph = nullptr;
  int value = -1;
  Dims dims = S::dims;
};

namespace detail {
template <class X> inline constexpr bool is_meta = false;
template <class S, class T> inline constexpr bool is_meta<Meta<S, T>> = true;

/// A recorded graph of dyn extents meets the real ones here: the same check as at compile time, as an exception.
template <class Layer> void throw_shape_error(const Text& fault) {
  Text text;
  if constexpr (!std::is_void_v<Layer>) text << type_label<Layer>() << ": ";
  throw shape_error(std::string((text << fault).view()));
}
template <class Layer, class Op, class... D> constexpr Dims checked_dims(const Op& op, const D&... dims) {
  if (const Text fault = op.check(dims...); !fault.empty()) throw_shape_error<Layer>(fault);
  return op.shape(dims...);
}

struct MetaReading {
  static constexpr bool defined = true, computes = false;

  template <auto Op, class S, class Layer, class X, class... P>
  static constexpr auto perform(const Layer* layer, const X& x, const P&... parameters) {
    Node node{.operation = operation_of(Op), .layer = layer};
    int slot = 0;
    (record_parameter(node.parameters[slot++], parameters), ...);
    node.dims = checked_dims<Layer>(Op, x.dims);
    return Meta<S>{x.graph, record(*x.graph, node, {x.value}), node.dims};
  }

  template <auto Op, class S, class... X> static constexpr auto combine(const X&... x) {
    Graph* graph = nullptr;
    ((graph = graph ? graph : graph_of(x)), ...);
    return combine_values<Op, S>(*graph, as_value(*graph, x)...);
  }

  template <class X> static constexpr X map(const ops::Activation& function, const X& x) {
    const Node node{.operation = operation_of(function), .dims = x.dims};
    return {x.graph, record(*x.graph, node, {x.value}), x.dims};
  }

  template <class X> static constexpr X materialise(const X& x) { return x; }
  template <class S, class T> using value = Meta<S, T>;

 private:
  template <class P> static constexpr void record_parameter(const void*& slot, const P& parameter) {
    if constexpr (stored<P>) slot = &parameter;
  }
  template <class X> static constexpr Graph* graph_of(const X& x) {
    if constexpr (is_meta<X>) return x.graph;
    else return nullptr;
  }
  template <class X> static constexpr auto as_value(Graph& graph, const X& x) {
    if constexpr (is_meta<X>) return x;
    else {
      const Node node{.operation = operation_of(ops::ParameterValue{}),
                      .parameters = {&x},
                      .dims = X::dims,
                      .dtype = dtype_of<typename X::value_type>};
      return Meta<typename X::shape_type, typename X::value_type>{&graph, record(graph, node, {}), node.dims};
    }
  }
  template <auto Op, class S, class... X> static constexpr auto combine_values(Graph& graph, const X&... x) {
    const Node node{.operation = operation_of(Op), .dims = checked_dims<void>(Op, x.dims...)};
    return Meta<S>{&graph, record(graph, node, {x.value...}), node.dims};
  }
};
}  // namespace detail

template <class S, class T> struct reading<Meta<S, T>> : detail::MetaReading {};

/// What an input of a model is declared as: `Shape<1, 3, 224, 224>` for float32, or `Tensor<std::int64_t, Shape<8>>`.
template <class Spec> struct input_spec {
  static_assert(shape<Spec>, "lamina: an input is declared as Shape<...> or Tensor<T, Shape<...>>");
};
template <idx... E> struct input_spec<Shape<E...>> {
  using shape_type = Shape<E...>;
  using value_type = float;
};
template <class T, class S> struct input_spec<Tensor<T, S>> {
  using shape_type = S;
  using value_type = T;
};

namespace detail {
template <class Spec>
using meta_input = Meta<typename input_spec<Spec>::shape_type, typename input_spec<Spec>::value_type>;

template <class Spec> constexpr auto start(Graph& graph, int index, const Dims& dims) {
  const Node node{.operation = operation_of(ops::Input{index}),
                  .dims = dims,
                  .dtype = dtype_of<typename input_spec<Spec>::value_type>};
  return meta_input<Spec>{&graph, record(graph, node, {}), dims};
}
/// A forward returns one operand or a tuple of them.
template <class Result> constexpr void record_outputs(Graph& graph, const Result& result) {
  if constexpr (is_meta<Result>) graph.outputs.push_back(result.value);
  else std::apply([&](const auto&... each) { (record_outputs(graph, each), ...); }, result);
}
template <class Net, class... Spec, std::size_t... I>
constexpr Graph record_graph(const Net& net, const Dims* dims, std::index_sequence<I...>) {
  Graph graph;
  // The braces fix the order in which the inputs are numbered.
  std::tuple<meta_input<Spec>...> inputs{start<Spec>(graph, int(I), dims[I])...};
  record_outputs(graph, net(std::get<I>(inputs)...));
  drop_unread(graph);
  return graph;
}
}  // namespace detail

/// Records the graph of `net` for inputs of the given extents.
template <class... Spec, class Net> constexpr Graph record_graph(const Net& net, const Dims (&dims)[sizeof...(Spec)]) {
  return detail::record_graph<Net, Spec...>(net, dims, std::index_sequence_for<Spec...>{});
}

/// Records the graph of a default-constructed `Net`; inputs have the extents of their types.
template <class Net, class... Spec> constexpr Graph record_graph() {
  const Net net{};
  const Dims dims[] = {input_spec<Spec>::shape_type::dims...};
  return record_graph<Spec...>(net, dims);
}

}  // namespace lamina
