/// A model's modules with their printed texts: what printing and tables are made from.
#pragma once
#include "module_rows.hpp"
#include "python_text.hpp"

namespace lamina {

/// A module of a model and its own text.
struct OutlineRow : ModuleRow {
  std::string own_text{};  ///< what its extra_repr writes
  const void* address = nullptr;

  template <class M> void describe(const M& module) {
    PythonText text;
    if constexpr (requires { module.extra_repr(text); }) module.extra_repr(text);
    own_text = text.take();
    address = &module;
  }
};

/// The rows of a model, parents first, in the order of PyTorch's named_modules. A shared module has a row under its
/// first name, or under every name.
template <module M> std::vector<OutlineRow> outline(const M& net, Names names = Names::first) {
  std::vector<OutlineRow> rows;
  detail::RowWalk<OutlineRow>{.rows = rows, .names = names}({}, net);
  return rows;
}

}  // namespace lamina
