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

/// True if a stored tensor is `path`, or one of a module that is `path` or below it.
constexpr bool is_below(const auto& table, const StoredRow& tensor, std::string_view path) {
  const int module = find_module(table.modules, path);
  if (module >= 0) return tensor.module >= module && tensor.module < table.modules[std::size_t(module)].end;
  const std::size_t dot = path.rfind('.');
  const std::string_view parent = dot == path.npos ? std::string_view{} : path.substr(0, dot);
  return tensor.name == path.substr(dot == path.npos ? 0 : dot + 1) &&
         find_module(table.modules, parent) == tensor.module;
}
/// A sentence if a path names neither a module nor a parameter.
constexpr Text part_fault(const auto& table, std::string_view path) {
  for (const StoredRow& tensor : table.stored)
    if (!tensor.buffer && is_below(table, tensor, path)) return {};
  if (find_module(table.modules, path) >= 0) return {};
  const std::size_t dot = path.rfind('.');
  const std::string_view parent = dot == path.npos ? std::string_view{} : path.substr(0, dot);
  if (const Text fault = path_fault(table.modules, parent); !fault.empty()) return fault;
  Text fault;
  fault << "neither a module nor a parameter is at \"" << path << '"';
  return fault;
}
}  // namespace detail

}  // namespace lamina
