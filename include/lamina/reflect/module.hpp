/// What a module is, and the walks over one: parameters and buffers in the order of PyTorch's state_dict, modules in
/// the order of named_modules.
#pragma once
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
