/// What Sequential, ModuleList and ModuleDict share: children by position and by name.
#pragma once
#include "../reflect/module.hpp"
#include "leaves.hpp"
#include <array>

namespace lamina {

/// A position as a type: `list[0_c]`, `list[-1_c]` from the back.
template <idx I> struct Index {
  static constexpr idx value = I;
  constexpr Index<-I> operator-() const { return {}; }
};
/// A name as a type: `net["fc"_m]`.
template <fixed_string Name> struct Member { static constexpr auto value = Name; };

inline namespace literals {
template <char... Digits> constexpr auto operator""_c() {
  constexpr idx value = [] {
    idx n = 0;
    for (char c : {Digits...}) n = n * 10 + (c - '0');
    return n;
  }();
  return Index<value>{};
}
template <fixed_string Name> constexpr Member<Name> operator""_m() { return {}; }
}  // namespace literals

namespace detail {
struct NoName {};

template <class... Child> struct Container {
  static constexpr bool lamina_is_container = true;
  static constexpr idx children = sizeof...(Child);
  using child_list = types<Child...>;
  using lamina_member_types = types<layer_t<Child>...>;
  leaves_of<layer_t<Child>...> leaves;

  /// The name of a child: its own, or its position.
  template <std::size_t I> static constexpr std::string_view name_of() {
    constexpr std::string_view own = child_of<nth_type<I, Child...>>::name;
    if constexpr (own.empty()) return IndexName<I>::text.view();
    else return own;
  }
  /// All names in order.
  static constexpr auto lamina_names = []<std::size_t... I>(std::index_sequence<I...>) {
    return NameList<sizeof...(I)>{{name_of<I>()...}};
  }
  (std::index_sequence_for<Child...>{});
  /// The position of a name, or -1.
  static constexpr idx find(std::string_view name) {
    for (idx i = 0; i < children; ++i)
      if (lamina_names.name[i] == name) return i;
    return -1;
  }
  /// The names of the children in order. PyTorch: dict.keys().
  static constexpr auto keys() {
    std::array<std::string_view, sizeof...(Child)> names{};
    for (std::size_t i = 0; i < sizeof...(Child); ++i) names[i] = lamina_names.name[i];
    return names;
  }
  /// True if a child has this name. PyTorch: `name in container`.
  static constexpr bool contains(std::string_view name) { return find(name) >= 0; }
  /// Number of children. PyTorch: len(container).
  static constexpr idx size() { return children; }

  constexpr Container() = default;
  /// Takes the layers over, weights and all.
  template <class... Layer>
  requires(sizeof...(Child) > 0 && std::is_same_v<types<std::remove_cvref_t<Layer>...>,
                                                  lamina_member_types>) constexpr explicit Container(Layer&&... layers)
      : leaves{{std::forward<Layer>(layers)}...} {}

  /// The child at a position, negative from the back. An index out of range does not compile.
  template <idx I> constexpr auto& operator[](Index<I>) { return child<position<I>()>(*this); }
  template <idx I> constexpr const auto& operator[](Index<I>) const { return child<position<I>()>(*this); }
  /// The child of a name. An unknown name does not compile.
  template <fixed_string Name> constexpr auto& operator[](Member<Name>) {
    return child<position_of_name<Name>()>(*this);
  }
  template <fixed_string Name> constexpr const auto& operator[](Member<Name>) const {
    return child<position_of_name<Name>()>(*this);
  }

  /// The child at position I, which may be that of another name again.
  template <std::size_t I> constexpr auto& lamina_child() { return leaf<I>(leaves); }
  template <std::size_t I> constexpr const auto& lamina_child() const { return leaf<I>(leaves); }
  /// Calls f(name, child) in order.
  template <class F> constexpr void lamina_for_each(F&& f) { each<0>(*this, f); }
  template <class F> constexpr void lamina_for_each(F&& f) const { each<0>(*this, f); }

  /// The position that an index means.
  template <idx I> static constexpr std::size_t position() {
    constexpr bool ok = I >= -children && I < children;
    if constexpr (!ok)
      fail<Text{} << "index " << I << " is out of range; this container has " << children
                  << (children == 1 ? " child" : " children")>();
    return ok ? std::size_t(I < 0 ? I + children : I) : 0;
  }
  /// The position that a name means.
  template <fixed_string Name> static constexpr std::size_t position_of_name() {
    constexpr idx i = find(Name.view());
    if constexpr (i < 0) fail<no_child(Name.view())>();
    return i < 0 ? 0 : std::size_t(i);
  }
  /// The position of the child that stands at position I: another one's where it is shared.
  template <std::size_t I> static constexpr std::size_t original_of() {
    if constexpr (!any_shared<layer_t<Child>...>()) return I;
    else if constexpr (is_shared<nth_type<I, layer_t<Child>...>>)
      return original<Container, nth_type<I, layer_t<Child>...>::name>();
    else return I;
  }
  static constexpr Text no_child(std::string_view name) {
    Text text;
    text << "no child is named \"" << name << "\"; the children are:";
    for (idx i = 0; i < children; ++i) text << ' ' << lamina_names.name[i];
    return text;
  }

 protected:
  /// The child at position I; where it is shared, the one that it stands for.
  template <std::size_t I, class Self> static constexpr auto& child(Self& self) {
    return leaf<original_of<I>()>(self.leaves);
  }

 private:
  template <std::size_t Begin, class Self, class F> static constexpr void each(Self& self, F& f) {
    constexpr std::size_t n = sizeof...(Child) - Begin < chunk_size ? sizeof...(Child) - Begin : chunk_size;
    [&]<std::size_t... I>(std::index_sequence<I...>) { (f(name_of<Begin + I>(), leaf<Begin + I>(self.leaves)), ...); }
    (std::make_index_sequence<n>{});
    if constexpr (Begin + n < sizeof...(Child)) each<Begin + n>(self, f);
  }
};

/// Number of children with a name of their own. (Folds over children are loops: clang folds at most 256 operands.)
template <class... Child> constexpr std::size_t count_names() {
  std::size_t n = 0;
  for (const std::string_view name : {child_of<Child>::name..., std::string_view{}}) n += !name.empty();
  return n;
}

/// Names are checked once for a container: two children may not share one, be it given or that of a position.
template <class... Child> constexpr bool distinct_names() {
  constexpr std::string_view twice = [] {
    constexpr std::size_t n = sizeof...(Child);
    const std::string_view own[] = {child_of<Child>::name..., {}};
    for (std::size_t i = 0; i < n; ++i) {
      if (own[i].empty()) continue;
      for (std::size_t j = 0; j < n; ++j) {
        Text position;
        if (own[j].empty()) position << idx(j);
        if (j != i && own[i] == (own[j].empty() ? position.view() : own[j])) return own[i];
      }
    }
    return std::string_view{};
  }();
  if constexpr (!twice.empty()) fail<Text{} << "two children are named \"" << twice << "\"">();
  return twice.empty();
}
}  // namespace detail

}  // namespace lamina
