/// A module under a second name.
#pragma once
#include "text.hpp"

namespace lamina {

/// Stands in the place of a child that is its sibling `Name` once more: one module with one set of parameters.
///   Sequential<named<"encoder", Linear<8, 8>>, ReLU, named<"again", shared<"encoder">>> net;   // calls encoder twice
/// A container finds the module behind it. A plain aggregate calls the sibling itself; a member of this type gives the
/// state_dict its second key. As in PyTorch, modules and parameters are listed once, under their first name; the
/// state_dict has every key, and the printed text every name.
/// PyTorch: the same module assigned to two names.
template <fixed_string Name> struct shared {
  static constexpr auto name = Name;

  template <class... X> constexpr void operator()(X&&...) const {
    fail<Text{} << "this member is \"" << Name.view() << "\" again: call " << Name.view(), X...>();
  }
};

namespace detail {
template <class T> inline constexpr bool is_shared = false;
template <fixed_string Name> inline constexpr bool is_shared<shared<Name>> = true;
/// True if one of the types stands for another.
template <class... T> constexpr bool any_shared() {
  for (const bool one : {is_shared<T>..., false})
    if (one) return true;
  return false;
}
}  // namespace detail

}  // namespace lamina
