/// Arguments and results of a call of a compiled model, whatever computes it.
#pragma once
#include "../meta/counts.hpp"
#include "../plan/plan.hpp"
#include <optional>
#include <string>
#include <tuple>

namespace lamina::calls {

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
template <class Result> Result make_results(const planning::Place* outputs) {
  if constexpr (is_tuple<Result>) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return Result(std::tuple_element_t<I, Result>(outputs[I].dims)...);
    }(std::make_index_sequence<std::tuple_size_v<Result>>{});
  } else return Result(outputs[0].dims);
}

/// The results of the last call: their memory is used again as soon as nobody else holds it.
template <class Result> class Results {
  std::optional<Result> last{};

 public:
  Result& fresh(const planning::Place* outputs) {
    bool free = last.has_value();
    int k = 0;
    if (free)
      for_each_result(*last, [&](auto& y) { free = free && y.storage().unique() && y.dims() == outputs[k++].dims; });
    if (!free) last = make_results<Result>(outputs);
    return *last;
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

}  // namespace lamina::calls
