/// Freezing parts of a model: which parameters are trained.
#pragma once
#include "select.hpp"
#include <concepts>
#include <string>

namespace lamina {

namespace detail {
/// True for `path` itself and what is below it.
constexpr bool starts_with_path(std::string_view text, std::string_view path) {
  return path.empty() || (text.starts_with(path) && (text.size() == path.size() || text[path.size()] == '.'));
}
}  // namespace detail

/// Says of every parameter whose dotted path the predicate accepts whether it is trained:
///   requires_grad_(net, false, [](std::string_view path) { return path.ends_with("bias"); });
/// A flag of the parameter: it is kept when a model is copied, moved or edited, and not stored in checkpoints.
/// PyTorch: `for n, p in net.named_parameters(): if predicate(n): p.requires_grad_(value)`.
template <module M, class Predicate>
requires std::predicate<Predicate&, std::string_view>
void requires_grad_(M& net, bool value, Predicate predicate) {
  std::string text;
  for_each_stored(net, [&]<class P>(const Path& path, P& parameter) {
    if constexpr (is_parameter<P>) {
      text.clear();
      path.append_to(text);
      if (predicate(std::string_view(text))) parameter.requires_grad = value;
    }
  });
}

/// The same for the modules and parameters at these paths, or for all parameters where none is given:
///   requires_grad_<"conv1", "layer1", "fc.bias">(net, false);
/// A path that leads nowhere does not compile. PyTorch: `net.layer1.requires_grad_(False)`.
template <fixed_string... Paths, module M> void requires_grad_(M& net, bool value = true) {
  (fail<detail::part_fault(module_table<M>, Paths.view())>(), ...);
  requires_grad_(net, value, []([[maybe_unused]] std::string_view path) {
    return sizeof...(Paths) == 0 || (detail::starts_with_path(path, Paths.view()) || ...);
  });
}

/// Number of elements of the parameters that are trained. As a constant, with the frozen parts named:
/// trainable_parameter_count. PyTorch: `sum(p.numel() for p in net.parameters() if p.requires_grad)`.
template <module M> constexpr idx count_trainable(const M& net) {
  idx sum = 0;
  for_each_stored(net, [&]<class P>(const Path&, const P& parameter) {
    if constexpr (is_parameter<P>)
      if (parameter.requires_grad) sum += P::size;
  });
  return sum;
}

}  // namespace lamina
