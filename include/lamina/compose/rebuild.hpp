/// What the edits of containers share: what they are given, and how a container is made from the children of another.
#pragma once
#include "iterate.hpp"

namespace lamina::detail {

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
template <class Child> inline constexpr int name_of_child = 0;
template <fixed_string Name, class Layer> inline constexpr auto name_of_child<named<Name, Layer>> = Name;
template <class Layer, fixed_string Function> constexpr bool takes_layer() {
  using L = std::remove_cvref_t<Layer>;
  constexpr bool ok = std::is_class_v<L> && !is_named<L>;
  if constexpr (is_named<L>)
    fail<Text{} << Function.view() << " takes the layer itself, and its name before: " << Function.view() << "<\""
                << child_of<L>::name << "\">(...)">();
  else if constexpr (!ok) fail<Text{} << Function.view() << " takes a layer, not " << qualified_type_name<L>()>();
  return ok;
}
template <class C, fixed_string Function> constexpr bool takes_container() {
  using T = std::remove_cvref_t<C>;
  if constexpr (!container<T>)
    fail<Text{} << Function.view() << " takes a container, not "
                << (module<T> ? type_label<T>() : Text{} << qualified_type_name<T>()) << ": append takes layers">();
  return container<T>;
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

// ---- the names of children that move

/// Decimal text of a position.
template <std::size_t I> constexpr auto position_name() {
  constexpr const Text& text = IndexName<I>::text;
  fixed_string<std::size_t(text.size) + 1> name;
  for (int i = 0; i < text.size; ++i) name.chars[i] = text.chars[i];
  return name;
}
constexpr bool is_number(std::string_view name) {
  for (char c : name)
    if (c < '0' || c > '9') return false;
  return !name.empty();
}
/// A slice of a Sequential may call its children by the positions that they had. An edit counts them anew.
template <class C, class Child> struct counted_anew { using type = Child; };
template <sequential C, fixed_string Name, class Layer>
requires(is_number(Name.view())) struct counted_anew<C, named<Name, Layer>> {
  using type = Layer;
};

/// Where the children of a container go: `Map::of(i)` is the new position of the child at i, or -1.
template <idx At, idx Taken, idx Added> struct SpliceMap {
  static constexpr idx of(idx i) { return i < At ? i : i < At + Taken ? -1 : i - Taken + Added; }
};
template <idx By> struct ShiftMap {
  static constexpr idx of(idx i) { return i + By; }
};

/// The child at position I as a child of the edited container. One that is shared follows the module that it stands
/// for.
template <class C, std::size_t I, class Map> constexpr auto moved_child() {
  using Child = typename counted_anew<C, child_at_t<C, I>>::type;
  if constexpr (!is_shared<layer_t<Child>>) return std::type_identity<Child>{};
  else {
    constexpr std::size_t original = C::template original_of<I>();
    constexpr idx to = Map::of(idx(original));
    if constexpr (to < 0) {
      fail<Text{} << "child \"" << C::template name_of<I>() << "\" is child \"" << C::template name_of<original>()
                  << "\" again: erase it before that one">();
      return std::type_identity<Child>{};
    } else if constexpr (is_named<typename counted_anew<C, child_at_t<C, original>>::type>)
      return std::type_identity<Child>{};
    else return std::type_identity<typename with_layer<Child, shared<position_name<std::size_t(to)>()>>::type>{};
  }
}
template <class C, std::size_t I, class Map> using moved_t = typename decltype(moved_child<C, I, Map>())::type;

// ---- the shapes of an edit

/// The child at position I, moved out of its container; what is shared holds nothing.
template <class Child, std::size_t I, class C> constexpr auto take(C& list) {
  if constexpr (is_shared<layer_t<Child>>) return layer_t<Child>{};
  else return layer_t<Child>(std::move(leaf<I>(list.leaves)));
}

/// The module at position I, moved out; one that is shared stays, and this is its copy.
template <std::size_t I, class C> constexpr auto take_layer(C& list) {
  if constexpr (C::template original_of<I>() == I) return std::move(leaf<I>(list.leaves));
  else return std::as_const(list)[Index<idx(I)>{}];
}

/// The name by which child number I, counted round and round, is shared.
template <class C, std::size_t I> constexpr auto first_name() {
  constexpr std::size_t at = C::template original_of<I % std::size_t(C::size())>();
  using Child = typename counted_anew<C, child_at_t<C, at>>::type;
  if constexpr (is_named<Child>) return name_of_child<Child>;
  else return position_name<at>();
}

/// `Layer` as `Child` between the children before `At` and those from `At + Taken` on.
template <class Child, idx At, idx Taken, class C, class Layer> constexpr auto splice(C& list, Layer&& layer) {
  return [&]<std::size_t... I, std::size_t... J>(std::index_sequence<I...>, std::index_sequence<J...>) {
    constexpr std::size_t rest = std::size_t(At + Taken);
    using Map = SpliceMap<At, Taken, 1>;
    return rebuild<C>(types<moved_t<C, I, Map>..., Child, moved_t<C, rest + J, Map>...>{},
                      take<moved_t<C, I, Map>, I>(list)..., std::forward<Layer>(layer),
                      take<moved_t<C, rest + J, Map>, rest + J>(list)...);
  }
  (std::make_index_sequence<std::size_t(At)>{}, std::make_index_sequence<std::size_t(C::size() - At - Taken)>{});
}

/// Children that are picked by `Pick::at`, in its order.
template <class Pick> struct PickMap {
  static constexpr idx of(idx i) {
    for (idx k = 0; k < Pick::size; ++k)
      if (Pick::at(k) == i) return k;
    return -1;
  }
};
template <class Pick, class C> constexpr auto pick_children(C& list) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    using Map = PickMap<Pick>;
    return rebuild<C>(types<moved_t<C, std::size_t(Pick::at(idx(I))), Map>...>{},
                      take<moved_t<C, std::size_t(Pick::at(idx(I))), Map>, std::size_t(Pick::at(idx(I)))>(list)...);
  }
  (std::make_index_sequence<std::size_t(Pick::size)>{});
}

}  // namespace lamina::detail
