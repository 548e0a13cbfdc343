/// Containers behind one another.
#pragma once
#include "rebuild.hpp"
#include <utility>

namespace lamina {

namespace detail {
/// A child of `From` as a child of `To`: a ModuleList has no names.
template <class To, class Child> struct child_for { using type = Child; };
template <module_list To, fixed_string Name, class Layer> struct child_for<To, named<Name, Layer>> {
  using type = Layer;
};
template <class To, class From, std::size_t I, idx Shift>
using joined_t = typename child_for<To, moved_t<From, I, ShiftMap<Shift>>>::type;

template <class A, class B> constexpr auto join(A& first, B& second) {
  return [&]<std::size_t... I, std::size_t... J>(std::index_sequence<I...>, std::index_sequence<J...>) {
    return rebuild<A>(types<joined_t<A, A, I, 0>..., joined_t<A, B, J, A::size()>...>{},
                      take<joined_t<A, A, I, 0>, I>(first)..., take<joined_t<A, B, J, A::size()>, J>(second)...);
  }
  (std::make_index_sequence<std::size_t(A::size())>{}, std::make_index_sequence<std::size_t(B::size())>{});
}

/// The children of a Sequential, then the same ones again.
template <idx Times, class C> constexpr auto repeat(C& list) {
  return [&]<std::size_t... I, std::size_t... Again>(std::index_sequence<I...>, std::index_sequence<Again...>) {
    using Map = ShiftMap<0>;
    return rebuild<C>(types<moved_t<C, I, Map>..., shared<first_name<C, Again>()>...>{},
                      take<moved_t<C, I, Map>, I>(list)..., shared<first_name<C, Again>()>{}...);
  }
  (std::make_index_sequence<std::size_t(C::size())>{},
   std::make_index_sequence<std::size_t(C::size() * (Times - 1))>{});
}
}  // namespace detail

/// The children of both, those of `first` before those of `second`, which is copied if it is an lvalue. PyTorch:
/// Sequential.extend, ModuleList.extend, `+=`.
template <detail::edited A, class B> constexpr auto extend(A&& first, B&& second) {
  using T = std::remove_cvref_t<A>;
  constexpr bool ok = detail::takes_rvalue<A, "extend", "extend(std::move(list), std::move(other))">() &&
                      detail::takes_container<B, "extend">();
  if constexpr (!ok) return T{};
  else if constexpr (std::is_lvalue_reference_v<B> || std::is_const_v<B>) {
    std::remove_cvref_t<B> copy = second;
    return detail::join(first, copy);
  } else return detail::join(first, second);
}

/// The same for containers that stay as they are: what is given as an lvalue is copied. PyTorch: `+`, where both
/// share their layers with the result.
template <detail::edited A, class B> constexpr auto operator+(A&& first, B&& second) {
  return extend(std::remove_cvref_t<A>(std::forward<A>(first)), std::forward<B>(second));
}

/// The children of a Sequential so many times over: the same modules with the same parameters, as in PyTorch.
///   auto deep = Sequential<Linear<8, 8>, ReLU>{} * 3_c;   // ..., shared<"0">, shared<"1">, shared<"0">, shared<"1">
/// PyTorch: Sequential `*`.
template <detail::edited C, idx Times> constexpr auto operator*(C&& list, Index<Times>) {
  using T = std::remove_cvref_t<C>;
  static_assert(Times > 0, "lamina: a Sequential is repeated once or more");
  if constexpr (!detail::sequential<T>) {
    fail<Text{} << class_name<T>() << " is not repeated: only a Sequential calls its children in order">();
    return T{};
  } else {
    T own(std::forward<C>(list));
    return detail::repeat<Times>(own);
  }
}

}  // namespace lamina
