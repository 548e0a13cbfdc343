/// Members of a module, by name and in order. The only file that includes Boost.PFR, which reads plain aggregates; containers and
/// classes with LAMINA_MEMBERS say their members themselves.
#pragma once
#include "../core/members.hpp"
#include "../core/text.hpp"
#include <boost/pfr/core.hpp>
#include <boost/pfr/core_name.hpp>
#include <string_view>
#include <type_traits>
#include <utility>

namespace lamina {

namespace detail {
// A visitor is called with every member at once, so that one pack expansion serves; a fold over commas has at most 256 operands in
// clang, which aggregates stay far below.
template <class Names, class F> struct VisitAll {
  F& f;
  template <class... M> constexpr void operator()(M&... members) const {
    std::size_t i = 0;
    (void)i;
    (f(Names::at(i++), members), ...);
  }
};
template <class T> struct StatedNames {
  static constexpr std::string_view at(std::size_t i) { return split_name(T::lamina_member_names, i); }
};
}  // namespace detail

/// Calls f(name, member) for every member of a module: parameters, buffers, children and plain attributes alike.
template <class T, class F> constexpr void for_each_member(T& module, F&& f) {
  using M = std::remove_const_t<T>;
  if constexpr (container<M>) module.lamina_for_each(f);
  else if constexpr (says_members<M>) module.lamina_members(detail::VisitAll<detail::StatedNames<M>, std::remove_reference_t<F>>{f});
  else if constexpr (!std::is_aggregate_v<M>)
    fail<Text{} << class_name<M>() << " has constructors, private members or bases: list its members with LAMINA_MEMBERS(...)">();
  else
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (f(boost::pfr::get_name<I, M>(), boost::pfr::get<I>(module)), ...);
    }(std::make_index_sequence<boost::pfr::tuple_size_v<M>>{});
}

}  // namespace lamina
