/// A model as plain data, in constant expressions too: one row a module, one a parameter or buffer. Only the walk that
/// makes the rows depends on the model's type; what is asked of them is answered by ordinary functions.
#pragma once
#include "module.hpp"
#include <array>
#include <vector>

namespace lamina {

/// A module of a model.
struct ModuleRow {
  std::string_view name{};        ///< within its parent; empty for the root
  std::string_view class_name{};  ///< as printed
  int parent = -1;                ///< its row
  int depth = 0;                  ///< 0 for the root
  int end = 0;                    ///< the row behind the last one below this module
  idx parameters = 0;             ///< elements of its own parameters, not of those below
  idx parameter_bytes = 0;
  bool has_forward = true;     ///< false for ModuleList and ModuleDict
  bool chains = false;         ///< gives what its last child gives: Sequential
  bool merges_equals = false;  ///< prints equal neighbours once: ModuleList
  bool again = false;          ///< a module, or what is below it, that has a row of another name before

  constexpr bool leaf(int row) const { return end == row + 1; }
};

/// A parameter or buffer of a model.
struct StoredRow {
  std::string_view name{};
  int module = 0;  ///< the row of the module that holds it
  Dims dims{};
  Dtype dtype = Dtype::float32;
  bool buffer = false, saved = true;
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

/// Found once a type: names of types are long.
template <class M> inline constexpr std::string_view module_name_once = module_name<M>();

/// Appends the rows of a module's members. `Row` is a ModuleRow, or one that describes more of a module. Parameters
/// are listed where they are asked for.
template <class Row> struct RowWalk {
  std::vector<Row>& rows;
  std::vector<StoredRow>* stored_rows = nullptr;
  int parent = -1;
  Names names = Names::first;
  bool again = false;

  template <class T> constexpr void operator()(std::string_view name, const T& member) const {
    if constexpr (stored<T>) {
      if constexpr (is_parameter<T>) {
        rows[std::size_t(parent)].parameters += T::size;
        rows[std::size_t(parent)].parameter_bytes += T::size * idx(sizeof(typename T::value_type));
      }
      if (stored_rows)
        stored_rows->push_back({name, parent, T::dims, dtype_of<typename T::value_type>, is_buffer<T>, is_saved<T>});
    } else if constexpr (module<T>) {
      const int at = int(rows.size());
      rows.push_back(row_of(name, member));
      const RowWalk below{rows, stored_rows, at, names, again};
      if constexpr (shares_members<T>) for_each_member(member, EveryName<T, const RowWalk>{member, below});
      else for_each_member(member, below);
      rows[std::size_t(at)].end = int(rows.size());
    }
  }
  template <class T> constexpr void operator()(std::string_view name, const T& member, bool again_here) const {
    if (!again_here) (*this)(name, member);
    else if (names == Names::all) RowWalk{rows, stored_rows, parent, names, true}(name, member);
  }

 private:
  template <class M> constexpr Row row_of(std::string_view name, const M& module) const {
    Row row;
    row.name = name;
    row.class_name = module_name_once<M>;
    row.parent = parent;
    row.depth = parent < 0 ? 0 : rows[std::size_t(parent)].depth + 1;
    row.has_forward = has_forward<M>();
    row.chains = container<M> && row.has_forward;
    row.merges_equals = merges_equals<M>();
    row.again = again;
    if constexpr (requires { row.describe(module); }) row.describe(module);
    return row;
  }
};
}  // namespace detail

namespace detail {
struct AddressWalk {
  std::vector<const void*>& addresses;
  template <class M> constexpr void operator()(const Path&, const M& module) const { addresses.push_back(&module); }
};
}  // namespace detail

/// Where the modules of a model are, in the order of its rows.
template <module M> constexpr std::vector<const void*> module_addresses(const M& net) {
  std::vector<const void*> addresses;
  for_each_module(net, detail::AddressWalk{addresses});
  return addresses;
}

namespace detail {
template <std::size_t Modules, std::size_t Stored> struct ModuleTable {
  std::array<ModuleRow, Modules> modules{};
  std::array<StoredRow, Stored> stored{};
};
struct RowCounts {
  std::size_t modules = 0, stored = 0;
};
template <class T> constexpr RowCounts rows_of_member();
template <class... M> constexpr RowCounts sum_of_rows(types<M...>) {
  RowCounts sum{1, 0};
  for (const RowCounts& member : {rows_of_member<M>()..., RowCounts{}}) {
    sum.modules += member.modules;
    sum.stored += member.stored;
  }
  return sum;
}
template <class T> inline constexpr RowCounts row_counts = sum_of_rows(member_types<T>{});
template <class T> constexpr RowCounts rows_of_member() {
  if constexpr (stored<T>) return {0, 1};
  else if constexpr (module<T>) return row_counts<T>;
  else return {};
}
template <class Net> constexpr auto make_module_table() {
  const Net net{};
  std::vector<ModuleRow> modules;
  std::vector<StoredRow> stored;
  RowWalk<ModuleRow>{modules, &stored}({}, net);
  ModuleTable<row_counts<Net>.modules, row_counts<Net>.stored> table;
  for (std::size_t i = 0; i < modules.size(); ++i) table.modules[i] = modules[i];
  for (std::size_t i = 0; i < stored.size(); ++i) table.stored[i] = stored[i];
  return table;
}
}  // namespace detail

/// The rows of a type of model, as a constant.
template <class Net>
inline constexpr detail::ModuleTable<detail::row_counts<Net>.modules, detail::row_counts<Net>.stored>
    module_table = detail::make_module_table<Net>();

/// Appends the dotted path of a row. `rows` is any array of ModuleRows.
template <class Out> constexpr void append_path(Out& out, const auto& rows, int row) {
  const ModuleRow& module = rows[std::size_t(row)];
  if (module.parent < 0) return;
  if (rows[std::size_t(module.parent)].parent >= 0) {
    append_path(out, rows, module.parent);
    out << '.';
  }
  out << module.name;
}

/// The row of a dotted path, from `from` on down; "" is `from` itself. -1 if there is none; `deepest`, if given, is
/// then the row of the last module on the way that there is.
constexpr int find_module(const auto& rows, std::string_view path, int from = 0, int* deepest = nullptr) {
  int at = from;
  while (!path.empty()) {
    if (deepest) *deepest = at;
    // By hand: under -fsanitize=undefined g++ 12 does not take string_view::find for a constant here.
    std::size_t dot = 0;
    while (dot < path.size() && path[dot] != '.') ++dot;
    const std::string_view name = path.substr(0, dot);
    path.remove_prefix(dot == path.size() ? dot : dot + 1);
    int child = at + 1;
    while (child < rows[std::size_t(at)].end && rows[std::size_t(child)].name != name)
      child = rows[std::size_t(child)].end;
    if (child >= rows[std::size_t(at)].end) return -1;
    at = child;
  }
  return at;
}

/// A sentence if there is no module at a path, else an empty text.
constexpr Text path_fault(const auto& rows, std::string_view path) {
  int deepest = 0;
  Text fault;
  if (find_module(rows, path, 0, &deepest) >= 0) return fault;
  fault << "no module is at \"" << path << "\"; the children of ";
  if (deepest == 0) fault << rows[0].class_name;
  else append_path(fault, rows, deepest);
  fault << " are:";
  for (int child = deepest + 1; child < rows[std::size_t(deepest)].end; child = rows[std::size_t(child)].end)
    fault << ' ' << rows[std::size_t(child)].name;
  return fault;
}

}  // namespace lamina
