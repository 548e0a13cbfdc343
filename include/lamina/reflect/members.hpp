/// Members of a module: their types, names and values, in order. Plain aggregates are taken apart; containers and
/// classes with LAMINA_MEMBERS say their members themselves.
#pragma once
#include "../core/members.hpp"
#include "../core/text.hpp"
#include "member_name.hpp"
#include <string_view>
#include <type_traits>
#include <utility>

namespace lamina {

namespace detail {
struct TypesOf {
  template <class... M> constexpr types<std::remove_const_t<M>...> operator()(M&...) const { return {}; }
};
template <class... M> constexpr std::size_t length(types<M...>) { return sizeof...(M); }

/// `list` has the types of the members, `names` their names.
template <class T> struct Members {
  static_assert(
      (fail<Text{} << class_name<T>()
                   << " has constructors, private members or bases: list its members with LAMINA_MEMBERS(...)",
            T>(),
       true));
  using list = types<>;
  static constexpr NameList<0> names{};
};
template <container T> struct Members<T> {
  using list = typename T::lamina_member_types;
  static constexpr const auto& names = T::lamina_names;
};
template <says_members T> struct Members<T> {
  using list = decltype(std::declval<const T&>().lamina_members(TypesOf{}));
  static constexpr auto names = [] {
    NameList<length(list{})> table{};
    for (std::size_t i = 0; i < length(list{}); ++i) table.name[i] = split_name(T::lamina_member_names, i);
    return table;
  }();
};
template <class T>
requires(std::is_aggregate_v<T> && !container<T> && !says_members<T>) struct Members<T> {
  using list = decltype(visit_aggregate(std::declval<const T&>(), TypesOf{}));
  static constexpr auto names = []<std::size_t... I>(std::index_sequence<I...>) {
    return NameList<sizeof...(I)>{{aggregate_member_name<I, T>()...}};
  }
  (std::make_index_sequence<length(list{})>{});
};

// A visitor is called with every member at once, so that one pack expansion serves; a fold over commas has at most 256
// operands in clang, which aggregates stay far below.
template <class T, class F> struct VisitAll {
  F& f;
  template <class... M> constexpr void operator()(M&... members) const {
    std::size_t i = 0;
    (void)i;
    (f(Members<T>::names.name[i++], members), ...);
  }
};
}  // namespace detail

/// The types of a module's members, as types<...>.
template <class T> using member_types = typename detail::Members<T>::list;

/// The number of a module's members.
template <class T> inline constexpr std::size_t member_count = detail::length(member_types<T>{});

/// The name of member number `i`.
template <class T> constexpr std::string_view member_name(std::size_t i) { return detail::Members<T>::names.name[i]; }

namespace detail {
/// visitor(members...), of a class that is no container.
template <class T, class Visitor> constexpr decltype(auto) visit_members(T& module, Visitor&& visitor) {
  if constexpr (says_members<std::remove_const_t<T>>) return module.lamina_members(visitor);
  else return visit_aggregate(module, visitor);
}
}  // namespace detail

/// Member number `I` of a module.
template <std::size_t I, class T> constexpr auto& get_member(T& module) {
  if constexpr (container<std::remove_const_t<T>>) return module.template lamina_child<I>();
  else return *detail::pointer<I>(detail::visit_members(module, detail::PointersTo{}));
}

/// Calls f(name, member) for every member of a module: parameters, buffers, children and plain attributes alike.
template <class T, class F> constexpr void for_each_member(T& module, F&& f) {
  using M = std::remove_const_t<T>;
  if constexpr (container<M>) module.lamina_for_each(f);
  else detail::visit_members(module, detail::VisitAll<M, std::remove_reference_t<F>>{f});
}

}  // namespace lamina
