/// Loops over the children of a container, unrolled: every child has a type of its own.
#pragma once
#include "../tensor/perform.hpp"
#include "container.hpp"

namespace lamina {

namespace detail {
/// An end that was not given.
inline constexpr idx to_the_end = PTRDIFF_MAX;

/// The bounds of a slice as positions. Negative ones count from the back.
struct Bounds {
  idx begin, end;
  constexpr idx size() const { return end > begin ? end - begin : 0; }
};
template <fixed_string Caller, idx Begin, idx End, idx Children> constexpr Bounds bounds() {
  constexpr idx end = End == to_the_end ? Children : End;
  constexpr bool ok = Begin >= -Children && Begin <= Children && end >= -Children && end <= Children;
  if constexpr (!ok)
    fail<Text{} << Caller.view() << '<' << Begin << ", " << end << "> is out of range; this container has " << Children
                << (Children == 1 ? " child" : " children")>();
  return ok ? Bounds{Begin < 0 ? Begin + Children : Begin, end < 0 ? end + Children : end} : Bounds{0, 0};
}

/// Children First to First + Count - 1 of a container, where they are.
template <class C, idx First, idx Count> struct View {
  static constexpr bool lamina_is_view = true;
  C* container;

  static constexpr idx size() { return Count; }
  template <idx I> constexpr auto& operator[](Index<I>) const {
    constexpr bool ok = I >= -Count && I < Count;
    if constexpr (!ok)
      fail<Text{} << "index " << I << " is out of range; this view has " << Count
                  << (Count == 1 ? " child" : " children")>();
    return leaf<std::size_t(First + (!ok ? 0 : I < 0 ? I + Count : I))>(container->leaves);
  }
};

template <class C>
concept iterable = container<std::remove_cvref_t<C>> || requires {
  std::remove_cvref_t<C>::lamina_is_view;
};

template <idx Begin, class C, class F> constexpr void for_each_from(C& list, F& f) {
  constexpr idx n = C::size() - Begin < idx(chunk_size) ? C::size() - Begin : idx(chunk_size);
  [&]<idx... I>(std::integer_sequence<idx, I...>) {
    const auto visit = [&]<idx Position>(Index<Position> position) {
      auto& child = list[position];
      if constexpr (requires { f(position, child); }) f(position, child);
      else f(child);
    };
    (visit(Index<Begin + I>{}), ...);
  }
  (std::make_integer_sequence<idx, n>{});
  if constexpr (Begin + n < C::size()) for_each_from<Begin + n>(list, f);
}

/// The operand of a fold over children. Between two steps nothing stays pending, so that types do not grow with their
/// number.
template <class F, class X> struct Fold {
  F& f;
  X x;
};
template <class F, class X> constexpr auto make_fold(F& f, X&& x) {
  if constexpr (operand<X>)
    return Fold<F, decltype(materialise(std::forward<X>(x)))>{f, materialise(std::forward<X>(x))};
  else return Fold<F, std::remove_cvref_t<X>>{f, std::forward<X>(x)};
}
template <class F, class X, class Child> constexpr auto operator>>(Fold<F, X>&& fold, Child& child) {
  return make_fold(fold.f, fold.f(std::move(fold.x), child));
}
template <idx Begin, class C, class F, class X> constexpr auto fold_from(C& list, F& f, X&& x) {
  constexpr idx n = C::size() - Begin < idx(chunk_size) ? C::size() - Begin : idx(chunk_size);
  auto folded = [&]<idx... I>(std::integer_sequence<idx, I...>) {
    return (make_fold(f, std::forward<X>(x)) >> ... >> list[Index<Begin + I>{}]);
  }
  (std::make_integer_sequence<idx, n>{});
  if constexpr (Begin + n < C::size()) return fold_from<Begin + n>(list, f, std::move(folded.x));
  else return std::move(folded.x);
}
}  // namespace detail

/// Children Begin to End - 1 of a container for a loop, in place: `view<0, -1>(layers)` is Python's `layers[:-1]`,
/// `view<1>(layers)` its `layers[1:]`. It refers to the container, which stays where it is meanwhile.
template <idx Begin, idx End = detail::to_the_end, class C>
requires container<std::remove_const_t<C>>
constexpr auto view(C& list) {
  constexpr detail::Bounds bounds = detail::bounds<"view", Begin, End, C::size()>();
  return detail::View<C, bounds.begin, bounds.size()>{&list};
}
/// A view of a container that is about to go would dangle.
template <idx Begin, idx End = detail::to_the_end, class C>
requires container<std::remove_cvref_t<C>>
void view(const C&&) = delete;

/// Calls f(child), or f(position, child) with the position as Index<I>, so that `other[position]` works, for every
/// child of a container or view in order.
///   for_each(layers, [&](auto i, const auto& layer) { ... skips[i] ... });
/// With names: for_each_child(dict, [](std::string_view name, const auto& layer) { ... }).
template <detail::iterable C, class F> constexpr void for_each(C&& list, F&& f) {
  if constexpr (std::remove_cvref_t<C>::size() > 0) detail::for_each_from<0>(list, f);
}

/// Threads x through the children of a container or view: x = f(x, child) for each in order. The type of x may change
/// at every step.
///   for l in layers[:-1]: x = relu(l(x)) + x        # PyTorch
///   auto y = fold(view<0, -1>(layers), x, [](auto x, const auto& l) { return relu(l(x)) + x; });
template <detail::iterable C, class X, class F> constexpr auto fold(C&& list, X&& x, F&& f) {
  if constexpr (std::remove_cvref_t<C>::size() > 0) return detail::fold_from<0>(list, f, std::forward<X>(x));
  else return std::remove_cvref_t<X>(std::forward<X>(x));
}

}  // namespace lamina
