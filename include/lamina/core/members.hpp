/// How a module names its members. Plain aggregates need nothing: reflection reads them. A class with constructors or
/// private members says them once:
///   class Net {
///     Conv2d<3, 8> conv1;
///     Linear<8, 2> fc;
///    public:
///     LAMINA_MEMBERS(conv1, fc)
///   };
#pragma once
#include <cstddef>
#include <string_view>
#include <utility>

#define LAMINA_MEMBERS(...)                                                                                            \
  static constexpr std::string_view lamina_member_names = #__VA_ARGS__;                                                \
  template <class Visitor> constexpr decltype(auto) lamina_members(Visitor&& visitor) { return visitor(__VA_ARGS__); } \
  template <class Visitor> constexpr decltype(auto) lamina_members(Visitor&& visitor) const {                          \
    return visitor(__VA_ARGS__);                                                                                       \
  }

namespace lamina {

/// A list of types.
template <class... T> struct types {};

/// True for a class with LAMINA_MEMBERS.
template <class T>
concept says_members = requires {
  T::lamina_member_names;
};

/// True for a container (Sequential, ModuleList, ModuleDict): its children come with names that are not C++ members.
template <class T>
concept container = requires {
  T::lamina_is_container;
};

namespace detail {
/// The type at a position of a list, without recursion.
template <std::size_t I, class T> struct TypeLeaf { using type = T; };
template <class Index, class... T> struct TypeLeaves;
template <std::size_t... I, class... T> struct TypeLeaves<std::index_sequence<I...>, T...> : TypeLeaf<I, T>... {};
template <std::size_t I, class T> TypeLeaf<I, T> pick(const TypeLeaf<I, T>*);
template <std::size_t I, class... T>
using nth_type =
    typename decltype(pick<I>(static_cast<const TypeLeaves<std::index_sequence_for<T...>, T...>*>(nullptr)))::type;
template <std::size_t I, class List> struct nth_of;
template <std::size_t I, class... T> struct nth_of<I, types<T...>> { using type = nth_type<I, T...>; };
template <std::size_t I, class List> using nth_of_t = typename nth_of<I, List>::type;

/// Names of members, in order.
template <std::size_t N> struct NameList { std::string_view name[N + 1]{}; };
/// The name number `i` in a list "a, b, c".
constexpr std::string_view split_name(std::string_view names, std::size_t i) {
  for (; i > 0; --i) names.remove_prefix(names.find(',') + 1);
  while (!names.empty() && names.front() == ' ') names.remove_prefix(1);
  std::size_t end = 0;
  while (end < names.size() && names[end] != ',' && names[end] != ' ') ++end;
  return names.substr(0, end);
}
}  // namespace detail

}  // namespace lamina
