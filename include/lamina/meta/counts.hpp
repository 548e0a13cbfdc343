/// What a forward gives and costs, as constants: for static_assert, and printed by `summary`. Each takes the model,
/// its inputs, and `at<"path">` behind them for a part of the model:
///   static_assert(macs<ResNet50, Shape<1, 3, 224, 224>> == 4'089'184'256);
///   static_assert(macs<ResNet50, Shape<1, 3, 224, 224>, at<"layer4">> == ...);
#pragma once
#include "../reflect/select.hpp"
#include "module_costs.hpp"
#include "receptive_field.hpp"

namespace lamina {

namespace detail {
template <class Result> struct shape_of_result { using type = typename Result::shape_type; };
template <class... R> struct shape_of_result<std::tuple<R...>> {
  using type = std::tuple<typename shape_of_result<R>::type...>;
};
template <class A, class B> struct shape_of_result<std::pair<A, B>> : shape_of_result<std::tuple<A, B>> {};
template <class Net, class... Spec>
using meta_result = std::remove_cvref_t<decltype(std::declval<const Net&>()(std::declval<meta_input<Spec>>()...))>;

/// Stops compilation if an input has an extent that only the run knows.
template <fixed_string Query, class... Spec> constexpr bool has_static_extents() {
  constexpr bool known = (is_static(input_spec<Spec>::shape_type::dims) && ...);
  if constexpr (!known)
    fail<Text{} << Query.view() << " needs static extents, not"
                << ((Text{} << ' ' << input_spec<Spec>::shape_type::dims) << ...)>();
  return known;
}

/// What a whole forward costs.
struct ForwardCosts {
  idx macs = 0, products = 0, activation_bytes = 0, input_bytes = 0;
  int depth = 0;
};
constexpr ForwardCosts forward_costs_of(const Graph& graph) {
  ForwardCosts costs;
  for (const Node& node : graph.nodes) {
    const NodeCost cost = cost_of(graph, node);
    costs.macs += cost.macs;
    costs.products += cost.products;
    costs.activation_bytes += cost.activation_bytes;
    if (is<ops::Input>(node.operation)) costs.input_bytes += bytes_of(node);
  }
  const Table<int> depth = depths_of_values(graph);
  for (const int output : graph.outputs)
    if (depth[output] > costs.depth) costs.depth = depth[output];
  return costs;
}
/// The graph of a model, and what each module costs.
template <class Net, class... Spec> constexpr auto with_modules(auto&& f) {
  const Net net{};
  const Dims dims[] = {input_spec<Spec>::shape_type::dims...};
  const Graph graph = lamina::record_graph<Spec...>(net, dims);
  const auto& rows = module_table<Net>.modules;
  std::array<ModuleCost, row_counts<Net>.modules> costs{};
  add_costs(costs, rows, owners_of_values(rows, module_addresses(net), graph), graph);
  return f(graph, costs);
}

/// The costs of each module, in the order of module_table.
template <class Net, class... Spec> constexpr auto make_cost_table() {
  return with_modules<Net, Spec...>([](const Graph&, const auto& costs) { return costs; });
}
template <class Net, class... Spec>
inline constexpr std::array<ModuleCost, row_counts<Net>.modules> cost_table = make_cost_table<Net, Spec...>();

/// What a model costs: the sums of its modules where it lists them, so that its graph is recorded once; a function
/// object that reflection does not know is asked for its graph alone.
template <class Net, class... Spec> constexpr ForwardCosts make_forward_costs() {
  if constexpr (says_members<Net> || container<Net>) {
    const ModuleCost& net = cost_table<Net, Spec...>[0];
    return {.macs = net.macs, .products = net.products, .activation_bytes = net.activation_bytes, .depth = net.depth};
  } else return forward_costs_of(lamina::record_graph<Net, Spec...>());
}
template <class Net, class... Spec> inline constexpr ForwardCosts forward_costs = make_forward_costs<Net, Spec...>();

/// The cost of a query's module. `Query` is the name of the question, for errors.
template <fixed_string Query, class Net, class Q, class Specs> struct CostAt;
template <fixed_string Query, class Net, class Q, class... Spec> struct CostAt<Query, Net, Q, types<Spec...>> {
  static constexpr ForwardCosts forward = [] {
    if constexpr (has_static_extents<Query, Spec...>()) return forward_costs<Net, Spec...>;
    else return ForwardCosts{};
  }();
};
template <fixed_string Query, class Net, class Q, class... Spec>
requires(!Q::path.empty()) struct CostAt<Query, Net, Q, types<Spec...>> {
  static constexpr ModuleCost forward = [] {
    if constexpr (has_static_extents<Query, Spec...>()) return cost_table<Net, Spec...>[row_at<Net, Q>()];
    else return ModuleCost{};
  }();
};
template <fixed_string Query, class Net, class... A>
inline constexpr const auto& cost_at = CostAt<Query, Net, query<A...>, typename query<A...>::specs>::forward;

/// Stops compilation if nobody knows what a module gives.
template <class Net, class Q, bool Known> constexpr bool output_is_certain() {
  if constexpr (!Known)
    fail<Text{} << "what \"" << Q::path
                << "\" gives is not certain: functions follow on its last layer, and may be part of it or not; ask for "
                   "one of its layers">();
  return Known;
}

template <class Net, class Q, class Specs> struct OutputShape;
template <class Net, class Q, class... Spec> struct OutputShape<Net, Q, types<Spec...>> {
  using type = typename shape_of_result<meta_result<Net, Spec...>>::type;
};
template <class Net, class Q, class... Spec>
requires(!Q::path.empty()) struct OutputShape<Net, Q, types<Spec...>> {
  static constexpr const ModuleCost& cost = cost_table<Net, Spec...>[row_at<Net, Q>()];
  static_assert(output_is_certain<Net, Q, cost.shape_known>());
  using type = shape_of<cost.output>;
};

/// The value of the graph that a query is about: the model's first result, or what a module gives.
template <class Net, class Q> constexpr int value_at(const Graph& graph, const auto& costs) {
  if (Q::path.empty()) return graph.outputs[0];
  return costs[std::size_t(row_at<Net, Q>())].value;
}
template <class Net, class Q, class... Spec> constexpr ReceptiveField make_receptive_field(types<Spec...>) {
  constexpr Dims image[] = {input_spec<Spec>::shape_type::dims..., {}};
  if constexpr (has_static_extents<"receptive_field", Spec...>()) {
    if constexpr (image[0].rank != 3 && image[0].rank != 4) {
      fail<Text{} << "receptive_field needs an image, [N, C, H, W] or [C, H, W]; the input is " << image[0]>();
      return {};
    } else {
      constexpr auto found = with_modules<Net, Spec...>([](const Graph& graph, const auto& costs) {
        const int value = value_at<Net, Q>(graph, costs);
        return value < 0 ? ReceptiveField{-1, -1} : receptive_field_of(graph, value);
      });
      return output_is_certain<Net, Q, (found.height >= 0)>() ? found : ReceptiveField{};
    }
  } else return {};
}
template <class Net, class Q, class... Spec> constexpr int make_depth(types<Spec...>) {
  if constexpr (!has_static_extents<"depth", Spec...>()) return 0;
  else if constexpr (Q::path.empty()) return forward_costs<Net, Spec...>.depth;
  else {
    constexpr int found = cost_table<Net, Spec...>[std::size_t(row_at<Net, Q>())].depth;
    return output_is_certain<Net, Q, (found >= 0)>() ? found : 0;
  }
}
}  // namespace detail

/// The shape of what `Net` returns for inputs (Shape<...> for float32, or Tensor<T, Shape<...>>); a std::tuple of
/// shapes where it returns several. Extents that are `dyn` in the inputs stay `dyn`. With a path, the shape of what
/// that module gives.
///   static_assert(std::is_same_v<output_shape<UNet<3, 2>, Shape<dyn, 3, 37, 53>>, Shape<dyn, 2, 37, 53>>);
///   static_assert(std::is_same_v<output_shape<ResNet50, Shape<1, 3, 224, 224>, at<"layer3.1">>,
///                                Shape<1, 1024, 14, 14>>);
/// A forward may go on with functions (cat, +) where its last layer ends. If these change the shape and no layer
/// outside reads what the last layer inside gives, nobody knows which of them belong to the module: an error says so.
template <class Net, class... Args>
using output_shape =
    typename detail::OutputShape<Net, detail::query<Args...>, typename detail::query<Args...>::specs>::type;

/// Multiply-accumulates of one forward, as torchvision's tables and torchinfo count them: convolutions, linear layers
/// and matrix products. Of a module: of all its calls, and of everything below it.
///   static_assert(macs<ResNet50, Shape<1, 3, 224, 224>> == 4'089'184'256);
template <class Net, class... Args> inline constexpr idx macs = detail::cost_at<"macs", Net, Args...>.macs;

/// Floating-point operations of one forward, as torch.utils.flop_counter.FlopCounterMode counts them: two for every
/// multiply-accumulate of convolutions, linear layers and matrix products, of transposed convolutions those of each
/// input element with its taps (where torchinfo, and `macs`, count all taps for each output element). Biases, norms,
/// activations and pooling do not count.
template <class Net, class... Args> inline constexpr idx flops = 2 * detail::cost_at<"flops", Net, Args...>.products;

/// Bytes of all values that one forward makes, those of the inputs aside; views (flatten) make none. This is what
/// training would keep without any reuse; an engine needs `peak_memory` of them (engine/static_plan.hpp).
template <class Net, class... Args>
inline constexpr idx activation_bytes = detail::cost_at<"activation_bytes", Net, Args...>.activation_bytes;

/// Weight layers on the longest way from the inputs to the results: convolutions, transposed convolutions and linear
/// layers. ResNet-50 has 50 of them (He et al. 2015, arXiv:1512.03385, count so; shortcuts are shorter ways). With a
/// path: to what that module gives.
template <class Net, class... Args>
inline constexpr int depth = detail::make_depth<Net, detail::query<Args...>>(typename detail::query<Args...>::specs{});

/// The part of the first input, an image, that an element in the middle of the (first) result depends on, or of what
/// the module at a path gives. For windows of kernel k_l (dilated) and stride s_l in a chain of layers it is
///   1 + sum over l of (k_l - 1) * s_1 * ... * s_(l-1)
/// (Araujo, Norris, Sim: Computing receptive fields of convolutional neural networks, Distill 2019, equation 2). Here
/// it is followed back through the graph from the element, which holds for branches, upsampling and norms too. Where a
/// net enlarges images, its elements see parts of different size: the largest counts. Padding counts as if the image
/// went on, so the field may be larger than the image.
///   static_assert(receptive_field<ResNet50, Shape<1, 3, 224, 224>, at<"layer4">> == ReceptiveField{427, 427});
template <class Net, class... Args>
inline constexpr ReceptiveField receptive_field =
    detail::make_receptive_field<Net, detail::query<Args...>>(typename detail::query<Args...>::specs{});

}  // namespace lamina
