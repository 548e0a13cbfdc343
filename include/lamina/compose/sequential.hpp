/// torch.nn.Sequential.
#pragma once
#include "../tensor/perform.hpp"
#include "container.hpp"

namespace lamina {

namespace detail {
/// The operand of the fold over the children. A user's module gets a tensor, never a pending expression, so that its
/// body is compiled for tensors only.
template <class X> struct Flow { X x; };
template <class X> Flow(X) -> Flow<X>;
template <class X, class M> constexpr auto operator>>(Flow<X>&& flow, const M& module) {
  static_assert(
      requires { module(std::move(flow.x)); } || requires { module(materialise(std::move(flow.x))); } ||
          !std::is_class_v<M>,
      "lamina: a child of this Sequential has no forward: give it a constexpr auto operator()(auto x) const");
  if constexpr (says_members<M> || container<M>) return Flow{given(module, module(std::move(flow.x)))};
  else return Flow{given(module, module(materialise(std::move(flow.x))))};
}
}  // namespace detail

/// Children in order, each called with the result of the one before. Children are layers (named by position) or
/// named<"name", Layer>.
///   Sequential<Linear<784, 256>, ReLU, Linear<256, 10>> net;
///   auto y = net(x);
/// Prints, names and stores as torch.nn.Sequential.
template <class... Child> struct Sequential : detail::Container<Child...> {
  static_assert(detail::distinct_names<Child...>());
  using detail::Container<Child...>::Container;

  /// Chains the children. PyTorch: Sequential.forward.
  template <class X> constexpr auto operator()(X&& x) const {
    static_assert(sizeof...(Child) > 0, "lamina: an empty Sequential has no forward");
    return given(*this, run<0>(std::forward<X>(x)));
  }

 private:
  template <std::size_t Begin, class X, std::size_t... I> constexpr auto chunk(X&& x, std::index_sequence<I...>) const {
    return (detail::Flow{std::remove_cvref_t<X>(std::forward<X>(x))} >> ... >> this->template child<Begin + I>(*this))
        .x;
  }
  template <std::size_t Begin, class X> constexpr auto run(X&& x) const {
    constexpr std::size_t rest = sizeof...(Child) - Begin;
    if constexpr (rest <= detail::chunk_size) return chunk<Begin>(std::forward<X>(x), std::make_index_sequence<rest>{});
    else
      return run<Begin + detail::chunk_size>(
          chunk<Begin>(std::forward<X>(x), std::make_index_sequence<detail::chunk_size>{}));
  }
};
template <class... Layer> Sequential(Layer...) -> Sequential<Layer...>;

}  // namespace lamina
