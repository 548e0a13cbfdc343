/// Loops over the children of a container, unrolled: every child has a type of its own.
#pragma once
#include "../tensor/perform.hpp"
#include "container.hpp"

namespace lamina {

/// The end of a slice that goes on to the last child, or to the first where the step is negative.
inline constexpr idx to_the_end = PTRDIFF_MAX;

namespace detail {
/// What a slice takes: `size` children from `first` on, `step` apart.
struct Slice {
  idx first = 0, size = 0, step = 1;
  constexpr idx at(idx i) const { return first + i * step; }
};
/// Python's slice [Begin:End:Step] of so many children; bounds beyond them are refused.
template <fixed_string Caller, idx Begin, idx End, idx Step, idx Children> constexpr Slice slice_of() {
  static_assert(Step != 0, "lamina: the step of a slice is not 0");
  constexpr bool given = End != to_the_end;
  constexpr bool ok =
      Begin >= -Children && Begin <= Children && (!given || (End >= -Children && End <= Children)) && Step != 0;
  if constexpr (!ok)
    fail<Text{} << Caller.view() << '<' << Begin << ", " << (given ? End : Children) << "> is out of range; this "
                << "container has " << Children << (Children == 1 ? " child" : " children")>();
  if constexpr (!ok) return {};
  else {
    constexpr idx last = Step < 0 ? Children - 1 : Children, from = Begin < 0 ? Begin + Children : Begin;
    constexpr idx begin = from < last ? from : last;
    constexpr idx end = given ? (End < 0 ? End + Children : End) : (Step < 0 ? -1 : Children);
    constexpr idx distance = Step < 0 ? begin - end : end - begin, stride = Step < 0 ? -Step : Step;
    return {begin, distance > 0 ? (distance + stride - 1) / stride : 0, Step};
  }
}

/// The children of a slice, where they are.
template <class C, idx First, idx Count, idx Step> struct View {
  static constexpr bool lamina_is_view = true;
  C* container;

  static constexpr idx size() { return Count; }
  template <idx I> constexpr auto& operator[](Index<I>) const {
    constexpr bool ok = I >= -Count && I < Count;
    if constexpr (!ok)
      fail<Text{} << "index " << I << " is out of range; this view has " << Count
                  << (Count == 1 ? " child" : " children")>();
    return (*container)[Index<First + (!ok ? 0 : I < 0 ? I + Count : I) * Step>{}];
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
/// `view<1>(layers)` its `layers[1:]`, `view<-1, to_the_end, -1>(layers)` its `reversed(layers)`. It refers to the
/// container, which stays where it is meanwhile.
template <idx Begin, idx End = to_the_end, idx Step = 1, class C>
requires container<std::remove_const_t<C>>
constexpr auto view(C& list) {
  constexpr detail::Slice slice = detail::slice_of<"view", Begin, End, Step, C::size()>();
  return detail::View<C, slice.first, slice.size, slice.step>{&list};
}
/// A view of a container that is about to go would dangle.
template <idx Begin, idx End = to_the_end, idx Step = 1, class C>
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
