/// Children of any module, by position, name or dotted path.
#pragma once
#include "../reflect/module.hpp"
#include "container.hpp"

namespace lamina {

namespace detail {
/// The text before and behind the first dot of a path.
template <fixed_string Path>
inline constexpr std::size_t first_dot = [] {
  std::size_t i = 0;
  while (Path.chars[i] != '.' && Path.chars[i] != '\0') ++i;
  return i;
}();
template <fixed_string Path> inline constexpr bool has_dot = Path.chars[first_dot<Path>] == '.';
template <fixed_string Text, std::size_t Begin, std::size_t Size> constexpr auto substring() {
  fixed_string<Size + 1> part;
  for (std::size_t i = 0; i < Size; ++i) part.chars[i] = Text.chars[Begin + i];
  return part;
}
template <fixed_string Path> constexpr auto path_head() { return substring<Path, 0, first_dot<Path>>(); }
template <fixed_string Path> constexpr auto path_tail() {
  return substring<Path, first_dot<Path> + 1, Path.view().size() - first_dot<Path> - 1>();
}

template <class... M> constexpr auto which_are_modules(types<M...>) {
  struct Flags {
    bool flag[sizeof...(M) + 1];
  };
  return Flags{{module<M>..., false}};
}
/// Number of the member that is the child of this name, or -1.
template <class T> constexpr idx find_child(std::string_view name) {
  constexpr auto is_child = which_are_modules(member_types<T>{});
  for (std::size_t i = 0; i < member_count<T>; ++i)
    if (is_child.flag[i] && member_name<T>(i) == name) return idx(i);
  return -1;
}
template <class T> constexpr Text no_child(std::string_view name) {
  constexpr auto is_child = which_are_modules(member_types<T>{});
  Text text;
  text << "no child is named \"" << name << "\"; the children are:";
  for (std::size_t i = 0; i < member_count<T>; ++i)
    if (is_child.flag[i]) text << ' ' << member_name<T>(i);
  return text;
}
}  // namespace detail

/// True if a module of type M has a direct child of this name: `has_child<decltype(dict), "act">`.
template <class M, fixed_string Name>
inline constexpr bool has_child = detail::find_child<std::remove_cvref_t<M>>(Name.view()) >= 0;

/// True if the module has a direct child of this name. PyTorch: `"act" in dict`.
template <fixed_string Name, class M>
requires module<std::remove_cvref_t<M>>
constexpr bool contains(const M&) { return has_child<M, Name>; }

/// The child of a name or dotted path, of containers and aggregates alike: `get<"layer1.0.conv1">(net)`. An unknown
/// name does not compile. PyTorch: Module.get_submodule.
template <fixed_string Path, class M>
requires module<std::remove_const_t<M>>
constexpr auto& get(M& net) {
  using T = std::remove_const_t<M>;
  if constexpr (detail::has_dot<Path>) return get<detail::path_tail<Path>()>(get<detail::path_head<Path>()>(net));
  else if constexpr (container<T>) return net[Member<Path>{}];
  else {
    constexpr idx i = detail::find_child<T>(Path.view());
    if constexpr (i < 0) {
      fail<detail::no_child<T>(Path.view())>();
      return net;
    } else return get_member<std::size_t(i)>(net);
  }
}

/// The child at a position of a container, negative from the back.
template <idx I, class C>
requires container<std::remove_const_t<C>>
constexpr auto& get(C& list) { return list[Index<I>{}]; }

}  // namespace lamina
