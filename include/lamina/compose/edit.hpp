/// Edits of containers. The type of a container says what is in it, so an edit takes the container as an rvalue and
/// returns a container of another type, into which the layers have moved with their weights:
///   auto longer = append(std::move(list), Linear<256, 10>{});
/// A layer that is given as an lvalue is copied. Positions count from 0, negative ones from the back. Children without
/// a name are named by their new position; names that were given stay.
#pragma once
#include "iterate.hpp"
#include <utility>

namespace lamina {

namespace detail {
/// Containers are Sequential<Child...>, ModuleList<Child...> and ModuleDict<Child...>; this makes one with other
/// children.
template <class C> struct Rebuild;
template <template <class...> class C, class... Child> struct Rebuild<C<Child...>> {
  template <class... New> using type = C<New...>;
};
template <class C, class... Child, class... Layer> constexpr auto rebuild(types<Child...>, Layer&&... layers) {
  using New = typename Rebuild<C>::template type<Child...>;
  if constexpr (sizeof...(Child) == 0) return New{};
  else return New(std::forward<Layer>(layers)...);
}

template <class C, std::size_t I> struct child_at;
template <template <class...> class C, class... Child, std::size_t I> struct child_at<C<Child...>, I> {
  using type = nth_type<I, Child...>;
};
/// The child at a position, with its name if it has one.
template <class C, std::size_t I> using child_at_t = typename child_at<C, I>::type;

/// PyTorch's slices of a Sequential keep the names of the children, also where these are positions.
template <std::size_t I> constexpr auto position_name() {
  constexpr const Text& text = IndexName<I>::text;
  fixed_string<std::size_t(text.size) + 1> name;
  for (int i = 0; i < text.size; ++i) name.chars[i] = text.chars[i];
  return name;
}
template <class Child, std::size_t I> struct with_position { using type = named<position_name<I>(), Child>; };
template <fixed_string Name, class Layer, std::size_t I> struct with_position<named<Name, Layer>, I> {
  using type = named<Name, Layer>;
};
template <class C>
concept module_list = requires {
  C::lamina_merges_equals;
};
template <class C>
concept sequential = !requires {
  C::lamina_has_forward;
};
template <class C>
concept module_dict = !module_list<C> && !sequential<C>;

// ---- what an edit is given

template <class C>
concept edited = container<std::remove_cvref_t<C>>;

/// True, or a sentence that shows the call as it should be.
template <class C, fixed_string Function, fixed_string Call> constexpr bool takes_rvalue() {
  constexpr bool ok = !std::is_lvalue_reference_v<C> && !std::is_const_v<C>;
  if constexpr (!ok) fail<Text{} << Function.view() << " takes the container as an rvalue: " << Call.view()>();
  return ok;
}
template <class Layer> inline constexpr bool is_named = false;
template <fixed_string Name, class Layer> inline constexpr bool is_named<named<Name, Layer>> = true;
template <class Layer, fixed_string Function> constexpr bool takes_layer() {
  using L = std::remove_cvref_t<Layer>;
  constexpr bool ok = std::is_class_v<L> && !is_named<L>;
  if constexpr (is_named<L>)
    fail<Text{} << Function.view() << " takes the layer itself, and its name before: " << Function.view() << "<\""
                << child_of<L>::name << "\">(...)">();
  else if constexpr (!ok) fail<Text{} << Function.view() << " takes a layer, not " << qualified_type_name<L>()>();
  return ok;
}
template <class C, fixed_string Function, bool Named> constexpr bool takes_name() {
  constexpr bool ok = !(module_dict<C> && !Named) && !(module_list<C> && Named);
  if constexpr (module_dict<C> && !Named)
    fail<Text{} << Function.view() << " needs a name for a ModuleDict: " << Function.view()
                << "<\"name\">(std::move(dict), layer)">();
  else if constexpr (!ok)
    fail<Text{} << Function.view() << ": ModuleList names its children by position; use ModuleDict for names">();
  return ok;
}
/// A position from 0 to `Children`, or a sentence.
template <fixed_string Function, idx I, idx Children> constexpr idx insert_position() {
  constexpr bool ok = I >= -Children && I <= Children;
  if constexpr (!ok)
    fail<Text{} << Function.view() << ": index " << I << " is out of range; this container has " << Children
                << (Children == 1 ? " child" : " children")>();
  return !ok ? 0 : I < 0 ? I + Children : I;
}

// ---- the three shapes of an edit

/// Child, moved out of its container.
template <std::size_t I, class C> constexpr auto&& take(C& list) { return std::move(leaf<I>(list.leaves)); }

/// `Layer` as `Child` between the children before `At` and those from `At + Skip` on.
template <class Child, idx At, idx Skip, class C, class Layer> constexpr auto splice(C& list, Layer&& layer) {
  return [&]<std::size_t... I, std::size_t... J>(std::index_sequence<I...>, std::index_sequence<J...>) {
    constexpr std::size_t rest = std::size_t(At + Skip);
    return rebuild<C>(types<child_at_t<C, I>..., Child, child_at_t<C, rest + J>...>{}, take<I>(list)...,
                      std::forward<Layer>(layer), take<rest + J>(list)...);
  }
  (std::make_index_sequence<std::size_t(At)>{}, std::make_index_sequence<std::size_t(C::size() - At - Skip)>{});
}
/// All children but the one at `At`.
template <idx At, class C> constexpr auto without(C& list) {
  return [&]<std::size_t... I, std::size_t... J>(std::index_sequence<I...>, std::index_sequence<J...>) {
    constexpr std::size_t rest = std::size_t(At + 1);
    return rebuild<C>(types<child_at_t<C, I>..., child_at_t<C, rest + J>...>{}, take<I>(list)...,
                      take<rest + J>(list)...);
  }
  (std::make_index_sequence<std::size_t(At)>{}, std::make_index_sequence<std::size_t(C::size() - At - 1)>{});
}
template <class A, class B> constexpr auto join(A& first, B& second) {
  return [&]<std::size_t... I, std::size_t... J>(std::index_sequence<I...>, std::index_sequence<J...>) {
    return rebuild<A>(types<child_at_t<A, I>..., child_at_t<B, J>...>{}, take<I>(first)..., take<J>(second)...);
  }
  (std::make_index_sequence<std::size_t(A::size())>{}, std::make_index_sequence<std::size_t(B::size())>{});
}
template <fixed_string Name, class Layer> using named_child = named<Name, std::remove_cvref_t<Layer>>;
}  // namespace detail

/// The container with a layer behind the last. PyTorch: Sequential.append, ModuleList.append.
template <detail::edited C, class Layer> constexpr auto append(C&& list, Layer&& layer) {
  using T = std::remove_cvref_t<C>;
  constexpr bool ok = detail::takes_rvalue<C, "append", "append(std::move(list), layer)">() &&
                      detail::takes_layer<Layer, "append">() && detail::takes_name<T, "append", false>();
  if constexpr (ok) return detail::splice<std::remove_cvref_t<Layer>, T::size(), 0>(list, std::forward<Layer>(layer));
  else return T{};
}
/// The same with a name. PyTorch: Sequential.add_module; `dict[name] = layer` for a new name.
template <fixed_string Name, detail::edited C, class Layer> constexpr auto append(C&& list, Layer&& layer) {
  using T = std::remove_cvref_t<C>;
  constexpr bool ok = detail::takes_rvalue<C, "append", "append<\"name\">(std::move(list), layer)">() &&
                      detail::takes_layer<Layer, "append">() && detail::takes_name<T, "append", true>();
  if constexpr (ok)
    return detail::splice<detail::named_child<Name, Layer>, T::size(), 0>(list, std::forward<Layer>(layer));
  else return T{};
}

/// The children of both, those of `first` before those of `second`. PyTorch: Sequential.extend, ModuleList.extend, `+`.
template <detail::edited A, detail::edited B> constexpr auto extend(A&& first, B&& second) {
  using T = std::remove_cvref_t<A>;
  if constexpr (!detail::takes_rvalue<A, "extend", "extend(std::move(list), std::move(other))">()) return T{};
  else if constexpr (std::is_lvalue_reference_v<B> || std::is_const_v<B>) {
    std::remove_cvref_t<B> copy = second;
    return detail::join(first, copy);
  } else return detail::join(first, second);
}

/// The container with a layer before position I; I = size() appends. PyTorch: ModuleList.insert.
template <idx I, detail::edited C, class Layer> constexpr auto insert(C&& list, Layer&& layer) {
  using T = std::remove_cvref_t<C>;
  constexpr bool ok = detail::takes_rvalue<C, "insert", "insert<0>(std::move(list), layer)">() &&
                      detail::takes_layer<Layer, "insert">() && detail::takes_name<T, "insert", false>();
  if constexpr (ok)
    return detail::splice<std::remove_cvref_t<Layer>, detail::insert_position<"insert", I, T::size()>(), 0>(
        list, std::forward<Layer>(layer));
  else return T{};
}
/// The same with a name.
template <idx I, fixed_string Name, detail::edited C, class Layer> constexpr auto insert(C&& list, Layer&& layer) {
  using T = std::remove_cvref_t<C>;
  constexpr bool ok = detail::takes_rvalue<C, "insert", "insert<0, \"name\">(std::move(list), layer)">() &&
                      detail::takes_layer<Layer, "insert">() && detail::takes_name<T, "insert", true>();
  if constexpr (ok)
    return detail::splice<detail::named_child<Name, Layer>, detail::insert_position<"insert", I, T::size()>(), 0>(
        list, std::forward<Layer>(layer));
  else return T{};
}

/// The container without the child at position I. PyTorch: `del list[i]`.
template <idx I, detail::edited C> constexpr auto erase(C&& list) {
  using T = std::remove_cvref_t<C>;
  if constexpr (detail::takes_rvalue<C, "erase", "erase<0>(std::move(list))">())
    return detail::without<idx(T::template position<I>())>(list);
  else return T{};
}
/// The container without the child of a name. PyTorch: `del dict[name]`.
template <fixed_string Name, detail::edited C> constexpr auto erase(C&& list) {
  using T = std::remove_cvref_t<C>;
  if constexpr (detail::takes_rvalue<C, "erase", "erase<\"name\">(std::move(list))">())
    return detail::without<idx(T::template position_of_name<Name>())>(list);
  else return T{};
}

/// The container without the child at position I, and that child: `auto [rest, layer] = pop<-1>(std::move(list));`.
/// PyTorch: Sequential.pop, ModuleList.pop.
template <idx I, detail::edited C> constexpr auto pop(C&& list) {
  using T = std::remove_cvref_t<C>;
  if constexpr (detail::takes_rvalue<C, "pop", "pop<0>(std::move(list))">()) {
    constexpr std::size_t at = T::template position<I>();
    auto layer = detail::take<at>(list);
    return std::pair(detail::without<idx(at)>(list), std::move(layer));
  } else return std::pair(T{}, 0);
}
/// The same by name. PyTorch: ModuleDict.pop.
template <fixed_string Name, detail::edited C> constexpr auto pop(C&& list) {
  using T = std::remove_cvref_t<C>;
  if constexpr (detail::takes_rvalue<C, "pop", "pop<\"name\">(std::move(list))">())
    return pop<idx(T::template position_of_name<Name>())>(std::move(list));
  else return std::pair(T{}, 0);
}

/// Children Begin to End - 1, negative bounds from the back: `slice<1>(std::move(list))` is Python's `list[1:]`,
/// `slice<0, -1>` its `list[:-1]`, `slice<0, 6, 2>` its `list[0:6:2]`. As in PyTorch a ModuleList counts anew, and a
/// slice of a Sequential keeps the names of its children, positions too. (`view` does the same in place.)
template <idx Begin, idx End = detail::to_the_end, idx Step = 1, detail::edited C> constexpr auto slice(C&& list) {
  using T = std::remove_cvref_t<C>;
  static_assert(Step > 0, "lamina: slice: the step is at least 1");
  if constexpr (detail::takes_rvalue<C, "slice", "slice<0, 2>(std::move(list))">()) {
    constexpr detail::Bounds bounds = detail::bounds<"slice", Begin, End, T::size()>();
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      constexpr std::size_t first = std::size_t(bounds.begin), step = std::size_t(Step);
      if constexpr (detail::sequential<T>)
        return detail::rebuild<T>(
            types<typename detail::with_position<detail::child_at_t<T, first + I * step>, first + I * step>::type...>{},
            detail::take<first + I * step>(list)...);
      else
        return detail::rebuild<T>(types<detail::child_at_t<T, first + I * step>...>{},
                                  detail::take<first + I * step>(list)...);
    }
    (std::make_index_sequence<std::size_t((bounds.size() + Step - 1) / Step)>{});
  } else return T{};
}

/// The container without children. PyTorch: ModuleDict.clear.
template <detail::edited C> constexpr auto clear(C&&) {
  (void)detail::takes_rvalue<C, "clear", "clear(std::move(list))">();
  return detail::rebuild<std::remove_cvref_t<C>>(types<>{});
}

/// The dict with a layer under a name: in the place of the child that has it, or behind the last.
/// PyTorch: `dict[name] = layer`.
template <fixed_string Name, detail::edited C, class Layer> constexpr auto assign(C&& dict, Layer&& layer) {
  using T = std::remove_cvref_t<C>;
  constexpr bool ok = detail::takes_rvalue<C, "assign", "assign<\"name\">(std::move(dict), layer)">() &&
                      detail::takes_layer<Layer, "assign">() && detail::takes_name<T, "assign", true>();
  if constexpr (ok) {
    constexpr idx at = T::find(Name.view());
    return detail::splice<detail::named_child<Name, Layer>, (at < 0 ? T::size() : at), (at < 0 ? 0 : 1)>(
        dict, std::forward<Layer>(layer));
  } else return T{};
}

namespace detail {
/// Assigns the children of `from` from position I on.
template <idx I, class C, class From> constexpr auto assign_all(C&& dict, From& from) {
  if constexpr (I == From::size()) return std::move(dict);
  else {
    using Child = child_at_t<From, std::size_t(I)>;
    constexpr idx at = C::find(child_of<Child>::name);
    return assign_all<I + 1>(
        splice<Child, (at < 0 ? C::size() : at), (at < 0 ? 0 : 1)>(dict, take<std::size_t(I)>(from)), from);
  }
}
}  // namespace detail

/// The dict with the children of another: those of a name that is there take that place, the others follow.
/// PyTorch: ModuleDict.update.
template <detail::edited C, detail::edited From> constexpr auto update(C&& dict, From&& other) {
  using T = std::remove_cvref_t<C>;
  constexpr bool dicts = detail::module_dict<T> && detail::module_dict<std::remove_cvref_t<From>>;
  if constexpr (!dicts) fail<Text{} << "update takes two ModuleDicts; use extend for lists", T>();
  if constexpr (!(detail::takes_rvalue<C, "update", "update(std::move(dict), std::move(other))">() && dicts))
    return T{};
  else if constexpr (std::is_lvalue_reference_v<From> || std::is_const_v<From>) {
    std::remove_cvref_t<From> copy = other;
    return detail::assign_all<0>(std::move(dict), copy);
  } else return detail::assign_all<0>(std::move(dict), other);
}

}  // namespace lamina
