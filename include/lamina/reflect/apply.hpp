/// A function applied to every module of a model.
#pragma once
#include "module.hpp"

namespace lamina {

namespace detail {
template <class F> struct ApplyBelow {
  F& f;
  template <class T> constexpr void operator()(std::string_view, T& member) const {
    if constexpr (module<T>) {
      for_each_member(member, *this);
      f(member);
    }
  }
};
}  // namespace detail

/// Calls f(module) for every module, children before the module that holds them, the net last:
///   apply(net, []<class M>(M& module) {
///     if constexpr (requires { module.weight; }) ...
///   });
/// for_each_module (reflect/module.hpp) gives paths too, parents first. PyTorch: Module.apply.
template <module M, class F> constexpr void apply(M& net, F&& f) { detail::ApplyBelow<F>{f}({}, net); }

}  // namespace lamina
