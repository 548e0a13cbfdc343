/// Comparing the structures of two models.
#pragma once
#include "module_rows.hpp"

namespace lamina {

namespace detail {
/// The type of a module without children, options and all; empty for the others, whose children are compared.
template <class T>
inline constexpr std::string_view leaf_type = row_counts<T>.modules == 1 ? qualified_type_name<T>()
                                                                         : std::string_view{};
template <class T> inline constexpr Text label_of_type = type_label<T>();

/// The types of a model's modules.
struct ModuleTypes {
  std::vector<std::string_view> texts{};
  std::vector<const Text*> labels{};
  template <class M> constexpr void operator()(const Path&, const M&) {
    texts.push_back(leaf_type<M>);
    labels.push_back(&label_of_type<M>);
  }
};
template <class Net> constexpr ModuleTypes types_of_modules() {
  const Net net{};
  ModuleTypes types;
  for_each_module(net, types);
  return types;
}

/// What is left of two texts from the first argument on in which they differ.
constexpr std::string_view from_difference(std::string_view text, std::string_view other) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size() && i < other.size() && text[i] == other[i]; ++i)
    if (text[i] == ' ' || text[i] == '{' || text[i] == '<' || text[i] == '(') begin = i + 1;
  return text.substr(begin, 24);
}
constexpr void append_module(Text& text, const auto& rows, int row) {
  if (row == 0) text << "the net itself";
  else append_path(text, rows, row);
}
constexpr void append_tensor(Text& text, const auto& table, const StoredRow& tensor) {
  if (tensor.module > 0) {
    append_path(text, table.modules, tensor.module);
    text << '.';
  }
  text << tensor.name;
}

template <class A, class B> constexpr Text compare_structures() {
  if constexpr (std::is_same_v<A, B>) return {};
  else {
    const auto& a = module_table<A>;
    const auto& b = module_table<B>;
    const ModuleTypes of_a = types_of_modules<A>();
    const ModuleTypes of_b = types_of_modules<B>();
    Text text;
    const std::size_t common = a.modules.size() < b.modules.size() ? a.modules.size() : b.modules.size();
    for (std::size_t i = 0; i < common; ++i) {
      const ModuleRow &x = a.modules[i], &y = b.modules[i];
      const int row = int(i);
      if (x.depth != y.depth || x.name != y.name) {
        // One of them has more children than the other, or one of another name.
        if (x.depth > y.depth) append_module(text << "only the first has ", a.modules, row);
        else if (y.depth > x.depth) append_module(text << "only the second has ", b.modules, row);
        else {
          append_module(text << "the first has ", a.modules, row);
          append_module(text << " where the second has ", b.modules, row);
        }
        return text;
      }
      if (of_a.texts[i] != of_b.texts[i]) {
        append_module(text, a.modules, row);
        text << ": " << *of_a.labels[i] << " and " << *of_b.labels[i];
        if (of_a.labels[i]->view() == of_b.labels[i]->view())
          text << " differ in an option: \"" << from_difference(of_a.texts[i], of_b.texts[i]) << "...\" and \""
               << from_difference(of_b.texts[i], of_a.texts[i]) << "...\"";
        return text;
      }
    }
    if (a.modules.size() > common) append_module(text << "only the first has ", a.modules, int(common));
    if (b.modules.size() > common) append_module(text << "only the second has ", b.modules, int(common));
    const std::size_t tensors = a.stored.size() < b.stored.size() ? a.stored.size() : b.stored.size();
    for (std::size_t i = 0; i < tensors && text.empty(); ++i) {
      const StoredRow &x = a.stored[i], &y = b.stored[i];
      if (x.module != y.module || x.name != y.name) {
        append_tensor(text << "the first has ", a, x);
        append_tensor(text << " where the second has ", b, y);
      } else if (x.dims != y.dims || x.dtype != y.dtype || x.buffer != y.buffer) {
        append_tensor(text, a, x);
        text << ": " << x.dims << " and " << y.dims;
        if (x.dims == y.dims) text << (x.buffer != y.buffer ? ", a buffer and a parameter" : " of other element types");
      }
    }
    if (text.empty() && a.stored.size() > tensors) append_tensor(text << "only the first has ", a, a.stored[tensors]);
    if (text.empty() && b.stored.size() > tensors) append_tensor(text << "only the second has ", b, b.stored[tensors]);
    return text;
  }
}
}  // namespace detail

/// The first difference between the structures of two models, with its path and both sides; empty if there is none.
/// Modules are compared in order: names, and of layers the class and all options; then parameters and buffers: names,
/// shapes and element types. Of modules with children the class does not count, their children do.
template <class A, class B> inline constexpr Text structure_difference = detail::compare_structures<A, B>();

namespace detail {
template <class A, class B> constexpr bool report_difference() {
  if constexpr (!structure_difference<A, B>.empty())
    fail<Text{} << "the structures differ: " << structure_difference<A, B>>();
  return structure_difference<A, B>.empty();
}
}  // namespace detail

/// True if two models have the same structure (structure_difference says what that is), so that one loads the other's
/// checkpoints. If not, compilation stops with the first difference:
///   static_assert(same_structure<Mine, models::ResNet50>);
/// `structure_difference<A, B>.empty()` asks without stopping.
template <class A, class B> inline constexpr bool same_structure = detail::report_difference<A, B>();

}  // namespace lamina
