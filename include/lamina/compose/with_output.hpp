/// Models that return what named modules inside them return: features for another task.
#pragma once
#include "../tensor/watched.hpp"
#include "access.hpp"
#include <array>
#include <tuple>

namespace lamina {

namespace detail {
/// An operand of which only the type matters: a forward called on it finds out the extents of everything.
template <shape S, class T> struct Outline {
  using shape_type = S;
  using value_type = T;
};
struct OutlineReading {
  static constexpr bool defined = true, computes = false;
  template <class S, class T> using value = Outline<S, T>;
  template <auto Op, class S, class Layer, class X, class... P>
  static constexpr auto perform(const Layer*, const X&, const P&...) {
    return Outline<S, typename X::value_type>{};
  }
  template <auto Op, class S, class... X> static constexpr auto combine(const X&...) { return Outline<S, float>{}; }
  template <class X> static constexpr X map(const ops::Activation&, const X& x) { return x; }
  template <class X> static constexpr X materialise(const X& x) { return x; }
};
}  // namespace detail

template <class S, class T> struct reading<detail::Outline<S, T>> : detail::OutlineReading {};

namespace detail {
template <class Net, fixed_string Path>
using module_at = std::remove_cvref_t<decltype(get<Path>(std::declval<const Net&>()))>;

/// What a named module gives when it is called last, and how often it is called.
struct Output {
  Dims dims{};
  int calls = 0;
};

/// Finds out what the named modules give.
template <class Net, fixed_string... Path> struct OutputFinder {
  static constexpr bool may_stop = false;
  template <class M, class X> static constexpr bool wants = (std::is_same_v<M, module_at<Net, Path>> || ...);
  const Net& net;
  std::array<Output, sizeof...(Path)> outputs{};

  template <class M, class X> constexpr void gave(const M& module, const X&) {
    std::size_t k = 0;
    (note<Path>(module, X::shape_type::dims, k++), ...);
  }

 private:
  template <fixed_string P, class M> constexpr void note(const M& module, const Dims& dims, std::size_t k) {
    if constexpr (std::is_same_v<M, module_at<Net, P>>)
      if (&module == &get<P>(net)) outputs[k] = {dims, outputs[k].calls + 1};
  }
};

/// The outputs of the named modules of a `Net` that is called with such operands, in the order of the paths.
template <class Net, class In, fixed_string... Path> struct Outputs;
template <class Net, class... X, fixed_string... Path> struct Outputs<Net, types<X...>, Path...> {
  static constexpr auto table = [] {
    const Net net{};
    OutputFinder<Net, Path...> finder{net};
    (void)net(watch(Outline<typename X::shape_type, typename X::value_type>{}, &finder)...);
    return finder.outputs;
  }();
};

template <class M> constexpr Text children_of() {
  Text text;
  for (std::size_t i = 0; i < member_count<M>; ++i)
    if (kind_of_member<M>(i) == Kind::child) text << ' ' << member_name<M>(i);
  return text;
}
template <class Net, fixed_string Path, int Calls> constexpr void require_seen() {
  using M = module_at<Net, Path>;
  if constexpr (Calls == 0)
    fail<Text{} << "nothing shows what \"" << Path.view() << "\", a " << class_name<M>()
                << ", returns: it is not called, or called by a class that is no Sequential; ask for a layer in it:"
                << children_of<M>()>();
}

/// Takes the outputs of the named modules while the forward runs.
template <class Net, bool MayStop, class Found, class Values, fixed_string... Path> class OutputTaker;
template <class Net, bool MayStop, class Found, class... Value, fixed_string... Path>
class OutputTaker<Net, MayStop, Found, types<Value...>, Path...> {
  template <fixed_string P, std::size_t K, class M, class X> static constexpr bool may_be() {
    using V = nth_type<K, Value...>;
    return std::is_same_v<M, module_at<Net, P>> && std::is_same_v<typename X::shape_type, typename V::shape_type> &&
           std::is_same_v<typename X::value_type, typename V::value_type>;
  }
  template <class M, class X, std::size_t... K> static constexpr bool wants_any(std::index_sequence<K...>) {
    return (may_be<Path, K, M, X>() || ...);
  }

  const Net& net;
  std::tuple<std::optional<Value>...> values{};
  int calls_left = [] {
    int calls = 0;
    for (const Output& output : Found::table) calls += output.calls;
    return calls;
  }();

 public:
  static constexpr bool may_stop = MayStop;
  template <class M, class X>
  static constexpr bool wants = wants_any<M, X>(std::make_index_sequence<sizeof...(Path)>{});

  constexpr explicit OutputTaker(const Net& n) : net(n) {}

  constexpr bool stopped() const { return calls_left == 0; }
  template <class M, class X> constexpr void gave(const M& module, const X& x) {
    [&]<std::size_t... K>(std::index_sequence<K...>) { (note<Path, K>(module, x), ...); }
    (std::make_index_sequence<sizeof...(Path)>{});
  }
  constexpr auto take() {
    return std::apply([](auto&... value) { return std::tuple<Value...>(std::move(*value)...); }, values);
  }

 private:
  template <fixed_string P, std::size_t K, class M, class X> constexpr void note(const M& module, const X& x) {
    if constexpr (may_be<P, K, M, X>())
      if (&module == &get<P>(net)) {
        std::get<K>(values).emplace(x);
        --calls_left;
      }
  }
};

template <class X> constexpr auto as_tuple(X&& x) {
  if constexpr (operand<X>) {
    auto value = materialise(unwatched(std::forward<X>(x)));
    return std::tuple(std::move(value));
  } else
    return std::apply([](auto&&... each) { return std::tuple_cat(as_tuple(std::move(each))...); }, std::forward<X>(x));
}

/// A net whose call returns what the named modules give, behind its own result if `Result`.
template <class Net, bool Result, fixed_string... Path> struct NetWithOutputs {
  static constexpr std::string_view lamina_name = Result ? "WithOutput" : "OnlyOutput";
  Net net;
  LAMINA_MEMBERS(net)

  template <class... X> constexpr auto operator()(const X&... x) const {
    using Found = Outputs<Net, types<X...>, Path...>;
    return call<Found>(std::make_index_sequence<sizeof...(Path)>{}, x...);
  }

  template <class Found, std::size_t... K, class... X>
  constexpr auto call(std::index_sequence<K...>, const X&... x) const {
    (require_seen<Net, Path, Found::table[K].calls>(), ...);
    if constexpr (((Found::table[K].calls > 0) && ...)) {
      using Reading = reading<typename first_operand<X...>::type>;
      using Values = types<typename Reading::template value<shape_of<Found::table[K].dims>, float>...>;
      OutputTaker<Net, !Result && Reading::computes, Found, Values, Path...> taker(net);
      auto result = net(watch(x, &taker)...);
      if constexpr (Result) return std::tuple_cat(as_tuple(std::move(result)), taker.take());
      else if constexpr (sizeof...(Path) == 1) return std::get<0>(taker.take());
      else return taker.take();
    } else return net(x...);  // the sentence is out; what follows shall not add to it
  }
};

template <fixed_string Function, fixed_string Path, class Net> constexpr bool names_module() {
  constexpr bool ok = module<module_at<Net, Path>>;
  if constexpr (!ok)
    fail<Text{} << Function.view() << ": \"" << Path.view() << "\" is a parameter; modules have outputs">();
  return ok;
}
template <fixed_string Function, class M, fixed_string... Path> constexpr bool takes_outputs() {
  static_assert(sizeof...(Path) > 0, "lamina: name the modules whose outputs are wanted");
  using Net = std::remove_cvref_t<M>;
  constexpr bool rvalue = std::is_same_v<M, Net>;
  if constexpr (!rvalue)
    fail<Text{} << Function.view() << " takes the model as an rvalue: " << Function.view()
                << "<\"name\">(std::move(net))">();
  if constexpr (rvalue) return (names_module<Function, Path, Net>() && ...);
  else return false;
}
}  // namespace detail

/// The type that with_output returns.
template <class Net, fixed_string... Path> using WithOutput = detail::NetWithOutputs<Net, true, Path...>;
/// The type that only_output returns.
template <class Net, fixed_string... Path> using OnlyOutput = detail::NetWithOutputs<Net, false, Path...>;

/// The model with the outputs of named modules beside its result: `auto both = with_output<"layer4", "fc">(std::move(
/// net)); auto [y, c5, logits] = both(x);`, a std::tuple also after compile. Of a module that is called more than once
/// the last call counts. The model is the member `net` of what comes back.
/// A module is seen to return if it is a layer, a Sequential, or called by a Sequential. Where the forward of a class
/// calls a class, nothing shows what that one returns, and the name does not compile: ask for a layer in it.
/// PyTorch: register_forward_hook; torchvision's IntermediateLayerGetter.
template <fixed_string... Path, class M> constexpr auto with_output(M&& net) {
  using Net = std::remove_cvref_t<M>;
  if constexpr (detail::takes_outputs<"with_output", M, Path...>()) return WithOutput<Net, Path...>{std::move(net)};
  else return Net{};
}

/// The same without the model's result: what only it needs is not computed. One name gives a tensor, several give a
/// std::tuple. PyTorch: torchvision's create_feature_extractor.
template <fixed_string... Path, class M> constexpr auto only_output(M&& net) {
  using Net = std::remove_cvref_t<M>;
  if constexpr (detail::takes_outputs<"only_output", M, Path...>()) return OnlyOutput<Net, Path...>{std::move(net)};
  else return Net{};
}

}  // namespace lamina
