/// A model as plain data: one row a module. Only the walk that makes the rows depends on the model's type; what is
/// printed from them is made by ordinary functions.
#pragma once
#include "module.hpp"
#include "python_text.hpp"
#include <vector>

namespace lamina {

/// A module of a model.
struct OutlineRow {
  std::string_view name{};        ///< within its parent; empty for the root
  std::string_view class_name{};  ///< as printed
  std::string own_text{};         ///< what its extra_repr writes
  const void* address = nullptr;
  int depth = 0;       ///< 0 for the root
  int end = 0;         ///< the row behind the last one below this module
  idx parameters = 0;  ///< elements of its own parameters, not of those below
  idx parameter_bytes = 0;
  bool has_forward = true;     ///< false for ModuleList and ModuleDict
  bool chains = false;         ///< gives what its last child gives: Sequential
  bool merges_equals = false;  ///< prints equal neighbours once: ModuleList
  bool again = false;          ///< a module, or what is below it, that has a row of another name before
};

namespace detail {
template <class M> constexpr bool merges_equals() {
  if constexpr (requires { M::lamina_merges_equals; }) return M::lamina_merges_equals;
  else return false;
}
template <class M> constexpr bool has_forward() {
  if constexpr (requires { M::lamina_has_forward; }) return M::lamina_has_forward;
  else return true;
}

struct OutlineMembers {
  std::vector<OutlineRow>& rows;
  Names names;
  int parent = -1;
  bool again = false;

  template <class T> void operator()(std::string_view name, const T& member) const {
    if constexpr (is_parameter<T>) {
      rows[std::size_t(parent)].parameters += T::size;
      rows[std::size_t(parent)].parameter_bytes += T::size * idx(sizeof(typename T::value_type));
    } else if constexpr (module<T>) {
      PythonText text;
      if constexpr (requires { member.extra_repr(text); }) member.extra_repr(text);
      const int row = add({name, module_name<T>(), text.take(), &member});
      OutlineRow& added = rows[std::size_t(row)];
      added.has_forward = has_forward<T>();
      added.chains = container<T> && added.has_forward;
      added.merges_equals = merges_equals<T>();
      added.again = again;
      const OutlineMembers below{rows, names, row, again};
      if constexpr (shares_members<T>) for_each_member(member, EveryName<T, const OutlineMembers>{member, below});
      else for_each_member(member, below);
      rows[std::size_t(row)].end = int(rows.size());
    }
  }
  template <class T> void operator()(std::string_view name, const T& member, bool again_here) const {
    if (!again_here) (*this)(name, member);
    else if (names == Names::all) OutlineMembers{rows, names, parent, true}(name, member);
  }

 private:
  int add(OutlineRow row) const {
    row.depth = parent < 0 ? 0 : rows[std::size_t(parent)].depth + 1;
    rows.push_back(std::move(row));
    return int(rows.size()) - 1;
  }
};
}  // namespace detail

/// The rows of a model, parents first, in the order of PyTorch's named_modules. A shared module has a row under its
/// first name, or under every name.
template <module M> std::vector<OutlineRow> outline(const M& net, Names names = Names::first) {
  std::vector<OutlineRow> rows;
  detail::OutlineMembers{rows, names}({}, net);
  return rows;
}

}  // namespace lamina
