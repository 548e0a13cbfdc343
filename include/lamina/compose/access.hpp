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

}  // namespace detail

/// True if a module of type M has a direct child of this name: `has_child<decltype(dict), "act">`.
template <class M, fixed_string Name>
inline constexpr bool has_child = detail::find_child<std::remove_cvref_t<M>>(Name.view()) >= 0;

/// True if the module has a direct child of this name. PyTorch: `"act" in dict`.
template <fixed_string Name, class M>
requires module<std::remove_cvref_t<M>>
constexpr bool contains(const M&) { return has_child<M, Name>; }

/// The child, parameter or buffer of a name or dotted path, of containers and aggregates alike:
/// `get<"layer1.0.conv1">(net)`, `get<"layer1.0.bn2.weight">(net)`. An unknown name does not compile. PyTorch:
/// Module.get_submodule, get_parameter, get_buffer.
template <fixed_string Path, class M>
requires module<std::remove_const_t<M>>
constexpr auto& get(M& net) {
  using T = std::remove_const_t<M>;
  if constexpr (detail::has_dot<Path>) return get<detail::path_tail<Path>()>(get<detail::path_head<Path>()>(net));
  else {
    constexpr idx i = detail::find_member<T>(Path.view());
    if constexpr (i < 0) {
      fail<detail::no_member<T>(Path.view())>();
      return net;
    } else {
      using Member = detail::nth_of_t<std::size_t(i), member_types<T>>;
      if constexpr (detail::is_shared<Member>) return get_member<detail::original<T, Member::name>()>(net);
      else return get_member<std::size_t(i)>(net);
    }
  }
}
/// A parameter has no members.
template <fixed_string Path, class P>
requires stored<P>
constexpr auto& get(P& parameter) {
  fail<Text{} << "a parameter has no member \"" << Path.view() << '"', P>();
  return parameter;
}

/// The child at a position of a container, negative from the back.
template <idx I, class C>
requires container<std::remove_const_t<C>>
constexpr auto& get(C& list) { return list[Index<I>{}]; }

}  // namespace lamina
