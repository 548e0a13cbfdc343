/// Edits of containers. The type of a container says what is in it, so an edit takes the container as an rvalue and
/// returns a container of another type, into which the layers have moved with their weights:
///   auto longer = append(std::move(list), Linear<256, 10>{});
/// A layer that is given as an lvalue is copied. Positions count from 0, negative ones from the back. Children without
/// a name are named by their new position; names that were given stay. Layers that repeat or join containers are in
/// join.hpp, slices in slice.hpp, replacing in replace.hpp.
#pragma once
#include "rebuild.hpp"
#include <utility>

namespace lamina {

namespace detail {
template <fixed_string Name, class Layer> using named_child = named<Name, std::remove_cvref_t<Layer>>;
/// The positions of all children but one.
template <idx At, idx Children> struct AllBut {
  static constexpr idx size = Children - 1;
  static constexpr idx at(idx i) { return i < At ? i : i + 1; }
};
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
    return detail::pick_children<detail::AllBut<idx(T::template position<I>()), T::size()>>(list);
  else return T{};
}
/// The container without the child of a name. PyTorch: `del dict[name]`.
template <fixed_string Name, detail::edited C> constexpr auto erase(C&& list) {
  using T = std::remove_cvref_t<C>;
  if constexpr (detail::takes_rvalue<C, "erase", "erase<\"name\">(std::move(list))">())
    return erase<idx(T::template position_of_name<Name>())>(std::move(list));
  else return T{};
}

/// The container without the child at position I, and that child: `auto [rest, layer] = pop<-1>(std::move(list));`.
/// PyTorch: Sequential.pop, ModuleList.pop.
template <idx I, detail::edited C> constexpr auto pop(C&& list) {
  using T = std::remove_cvref_t<C>;
  if constexpr (detail::takes_rvalue<C, "pop", "pop<0>(std::move(list))">()) {
    constexpr std::size_t at = T::template position<I>();
    auto layer = detail::take_layer<at>(list);
    return std::pair(erase<I>(std::move(list)), std::move(layer));
  } else return std::pair(T{}, 0);
}
/// The same by name. PyTorch: ModuleDict.pop.
template <fixed_string Name, detail::edited C> constexpr auto pop(C&& list) {
  using T = std::remove_cvref_t<C>;
  if constexpr (detail::takes_rvalue<C, "pop", "pop<\"name\">(std::move(list))">())
    return pop<idx(T::template position_of_name<Name>())>(std::move(list));
  else return std::pair(T{}, 0);
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
        splice<Child, (at < 0 ? C::size() : at), (at < 0 ? 0 : 1)>(dict, take<Child, std::size_t(I)>(from)), from);
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
