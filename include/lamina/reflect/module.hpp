/// What a module is, and the walks over one: parameters and buffers in the order of PyTorch's state_dict, modules in
/// the order of named_modules.
#pragma once
#include "../core/shared.hpp"
#include "../tensor/parameter.hpp"
#include "members.hpp"
#include <array>

namespace lamina {

namespace detail {
/// Aggregates of the standard library are values, as numbers are: std::array<float, 3>.
template <class T> constexpr bool of_standard_library() { return qualified_type_name<T>().starts_with("std::"); }
template <class T> inline constexpr bool is_array_of_modules = false;
}  // namespace detail

/// A module: a layer, a container, or a plain aggregate whose members are its children. Numbers, enumerations, tensors
/// and classes of the standard library that a module holds are attributes, not children.
template <class T>
concept module = container<std::remove_const_t<T>> || says_members<std::remove_const_t<T>> ||
    (std::is_class_v<T>&& std::is_aggregate_v<T> && !stored<T> && !std::is_same_v<std::remove_const_t<T>, Absent> &&
     !detail::is_shared<std::remove_const_t<T>> &&
     (!detail::of_standard_library<std::remove_const_t<T>>() || detail::is_array_of_modules<std::remove_const_t<T>>));

namespace detail {
template <class T, std::size_t N> inline constexpr bool is_array_of_modules<std::array<T, N>> = module<T>;
// Their names would be those of the standard library's own members.
template <class T, std::size_t N> struct Members<std::array<T, N>> {
  static_assert(N == std::size_t(-1), "lamina: an array has no names for the layers in it: hold them in a ModuleList");
  using list = types<>;
  static constexpr NameList<0> names{};
};
}  // namespace detail

namespace detail {
/// What a path may lead to.
enum class Kind : unsigned char { attribute, child, stored };
template <class M> constexpr Kind kind_of() {
  return module<M> || is_shared<M> ? Kind::child : stored<M> ? Kind::stored : Kind::attribute;
}
template <class T> struct KindsOf;
template <class... M> struct KindsOf<types<M...>> {
  static constexpr Kind kind[sizeof...(M) + 1] = {kind_of<M>()..., Kind::attribute};
};
template <class T> constexpr Kind kind_of_member(std::size_t i) { return KindsOf<member_types<T>>::kind[i]; }

/// Number of the member of this name, if it is a child or a parameter or buffer; else -1.
template <class T> constexpr idx find_member(std::string_view name) {
  for (std::size_t i = 0; i < member_count<T>; ++i)
    if (kind_of_member<T>(i) != Kind::attribute && member_name<T>(i) == name) return idx(i);
  return -1;
}
/// The same for children alone.
template <class T> constexpr idx find_child(std::string_view name) {
  const idx i = find_member<T>(name);
  return i >= 0 && kind_of_member<T>(std::size_t(i)) == Kind::child ? i : -1;
}
template <class T> constexpr Text no_child(std::string_view name) {
  Text text;
  text << "no child is named \"" << name << "\"; the children are:";
  for (std::size_t i = 0; i < member_count<T>; ++i)
    if (kind_of_member<T>(i) == Kind::child) text << ' ' << member_name<T>(i);
  return text;
}
/// What a module has, where the name of a parameter might have been meant.
template <class T> constexpr Text no_member(std::string_view name) {
  Text text;
  for (std::size_t i = 0; i < member_count<T>; ++i)
    if (kind_of_member<T>(i) == Kind::stored) text << ' ' << member_name<T>(i);
  return text.empty() ? no_child<T>(name) : Text{} << no_child<T>(name) << "; its parameters and buffers are:" << text;
}

/// The number of the member that `shared<Name>` in a module of type T stands for.
template <class T, fixed_string Name> constexpr std::size_t original() {
  constexpr idx i = find_child<T>(Name.view());
  if constexpr (i < 0) fail<Text{} << "shared: " << no_child<T>(Name.view())>();
  else if constexpr (is_shared<nth_of_t<std::size_t(i), member_types<T>>>)
    fail<Text{} << "shared: \"" << Name.view() << "\" is shared itself: name the module that it stands for">();
  return i < 0 ? 0 : std::size_t(i);
}
template <class T, class M> struct listed { using type = M; };
template <class T, fixed_string Name> struct listed<T, shared<Name>> {
  using type = nth_of_t<original<T, Name>(), member_types<T>>;
};
template <class T, class List> struct Listed;
template <class T, class... M> struct Listed<T, types<M...>> { using type = types<typename listed<T, M>::type...>; };
template <class... M> constexpr bool has_shared(types<M...>) { return any_shared<M...>(); }
template <class T, bool Shares> struct listed_members { using type = member_types<T>; };
template <class T> struct listed_members<T, true> : Listed<T, member_types<T>> {};
}  // namespace detail

/// True if a member of T stands for another one.
template <class T> inline constexpr bool shares_members = detail::has_shared(member_types<T>{});
/// The types of a module's members, with what is shared in the place of its second name.
template <class T> using listed_types = typename detail::listed_members<T, shares_members<T>>::type;

/// Whether a list has a shared module once, under its first name (PyTorch: named_modules, named_parameters), or under
/// every name (state_dict, the printed text).
enum class Names : bool { first, all };

namespace detail {
/// Calls visit(name, member, again) for members; for what is shared, with the module itself and `again` true.
template <class T, class Visit> struct EveryName {
  const T& module;
  Visit& visit;
  template <class M> constexpr void operator()(std::string_view name, const M& member) const {
    if constexpr (is_shared<M>) visit(name, get_member<original<T, M::name>()>(module), true);
    else visit(name, member, false);
  }
};
}  // namespace detail

/// The dotted path of a member: a chain of names that ends at the root. Lives on the stack of the walk that made it.
struct Path {
  const Path* parent = nullptr;
  std::string_view name{};

  constexpr bool root() const { return parent == nullptr; }
  /// Number of characters of the dotted text.
  constexpr std::size_t size() const { return root() ? 0 : parent->size() + !parent->root() + name.size(); }
  /// Appends the dotted text to anything with push_back.
  template <class Out> constexpr void append_to(Out& out) const {
    if (root()) return;
    parent->append_to(out);
    if (!parent->root()) out.push_back('.');
    for (char c : name) out.push_back(c);
  }
};

namespace detail {
/// One visitor serves the three passes over a module's members, so that each type is instantiated once.
template <class Visit> struct StoredBelow {
  Visit& visit;
  const Path& at;
  enum Pass { parameters, buffers, children } pass;
  template <class T> constexpr void operator()(std::string_view name, T& member) const;
};
template <class T, class Visit> constexpr void visit_stored(T& root, const Path& at, Visit& visit) {
  using Below = StoredBelow<Visit>;
  for (auto pass : {Below::parameters, Below::buffers, Below::children}) for_each_member(root, Below{visit, at, pass});
}
template <class Visit>
template <class T>
constexpr void StoredBelow<Visit>::operator()(std::string_view name, T& member) const {
  if constexpr (stored<T>) {
    if (pass == (is_buffer<std::remove_const_t<T>> ? buffers : parameters)) visit(Path{&at, name}, member);
  } else if constexpr (module<T>) {
    if (pass == children) visit_stored(member, Path{&at, name}, visit);
  }
}

template <class Visit> struct ModulesBelow {
  Visit& visit;
  const Path& at;
  template <class T> constexpr void operator()(std::string_view name, T& member) const;
};
template <class T, class Visit> constexpr void visit_modules(T& root, const Path& at, Visit& visit) {
  visit(at, root);
  for_each_member(root, ModulesBelow<Visit>{visit, at});
}
template <class Visit>
template <class T>
constexpr void ModulesBelow<Visit>::operator()(std::string_view name, T& member) const {
  if constexpr (module<T>) visit_modules(member, Path{&at, name}, visit);
}
}  // namespace detail

/// Calls visit(path, parameter or buffer) in the order of PyTorch's state_dict: a module's parameters, its buffers,
/// then its children. Transient buffers are visited too: ask `std::remove_cvref_t<decltype(p)>::persistent`.
template <class T, class Visit> constexpr void for_each_stored(T& root, Visit&& visit) {
  detail::visit_stored(root, Path{}, visit);
}

/// Calls visit(path, module) for the root and every module below it, parents first, as PyTorch's named_modules.
template <class T, class Visit> constexpr void for_each_module(T& root, Visit&& visit) {
  detail::visit_modules(root, Path{}, visit);
}

/// Calls visit(name, child) for the direct children, as PyTorch's named_children.
template <class T, class Visit> constexpr void for_each_child(T& root, Visit&& visit) {
  for_each_member(root, [&]<class M>(std::string_view name, M& member) {
    if constexpr (module<M>) visit(name, member);
  });
}

/// The class name that PyTorch prints.
template <class T> constexpr std::string_view module_name() {
  if constexpr (requires { T::lamina_name; }) return T::lamina_name;
  else return class_name<T>();
}

}  // namespace lamina
