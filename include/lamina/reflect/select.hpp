/// Parts of a model, named in a query: `at<"layer3.1">`, `frozen<"conv1", "layer1">`.
#pragma once
#include "module_rows.hpp"

namespace lamina {

/// The module that a query is about: `macs<Net, Shape<1, 3, 224, 224>, at<"layer3.1">>`. Stands last.
template <fixed_string Path> struct at {};

/// The modules and parameters that are not trained: `trainable_parameter_count<Net, frozen<"conv1", "layer1">>`.
template <fixed_string... Paths> struct frozen {};

namespace detail {
/// A query's arguments: input specifications, and a path behind them or none.
template <class Specs, class... A> struct Query;
template <class... Spec> struct Query<types<Spec...>> {
  using specs = types<Spec...>;
  static constexpr std::string_view path{};
};
template <class... Spec, fixed_string Path> struct Query<types<Spec...>, at<Path>> {
  using specs = types<Spec...>;
  static constexpr std::string_view path = Path.view();
};
template <class... Spec, class Next, class... Rest>
struct Query<types<Spec...>, Next, Rest...> : Query<types<Spec..., Next>, Rest...> {};
template <class... A> using query = Query<types<>, A...>;

/// The row of a query's module; a path that leads nowhere does not compile.
template <class Net, class Q> constexpr int row_at() {
  constexpr Text fault = path_fault(module_table<Net>.modules, Q::path);
  fail<fault>();
  return fault.empty() ? find_module(module_table<Net>.modules, Q::path) : 0;
}

/// What a path names: the modules from a row on up to an end, or one stored tensor.
struct Part {
  int module = -1, end = -1, tensor = -1;

  constexpr bool named() const { return module >= 0 || tensor >= 0; }
  constexpr bool has(int index, const StoredRow& stored) const {
    return index == tensor || (stored.module >= module && stored.module < end);
  }
};
constexpr std::string_view above_last_dot(std::string_view path) {
  return path.substr(0, path.rfind('.') == path.npos ? 0 : path.rfind('.'));
}
constexpr Part find_part(const auto& table, std::string_view path) {
  Part part;
  part.module = find_module(table.modules, path);
  if (part.module >= 0) {
    part.end = table.modules[std::size_t(part.module)].end;
    return part;
  }
  const std::string_view above = above_last_dot(path), name = path.substr(above.empty() ? 0 : above.size() + 1);
  const int module = find_module(table.modules, above);
  for (std::size_t i = 0; i < table.stored.size(); ++i)
    if (table.stored[i].module == module && table.stored[i].name == name) part.tensor = int(i);
  return part;
}
/// A sentence if a path names neither a module nor a parameter.
constexpr Text part_fault(const auto& table, std::string_view path) {
  Text fault;
  if (find_part(table, path).named()) return fault;
  const std::string_view above = above_last_dot(path);
  if (const Text no_module = path_fault(table.modules, above); !no_module.empty()) return no_module;
  return fault << "neither a module nor a parameter is at \"" << path << '"';
}
}  // namespace detail

}  // namespace lamina
