/// A state_dict under other names.
#pragma once
#include "refuse.hpp"
#include "state_dict.hpp"
#include <any>
#include <concepts>
#include <string>
#include <string_view>

namespace lamina::io {

/// The new name of a tensor; empty to leave it out. Any function from std::string_view to std::string; std::function
/// would be the same, but <functional> takes 0.15 s and 13 MB of every program that loads.
class Rename {
  std::any function;
  std::string (*call)(const std::any&, std::string_view) = nullptr;

 public:
  Rename() = default;
  template <class F>
  requires(!std::same_as<F, Rename> && std::copy_constructible<F> &&
           std::is_invocable_r_v<std::string, const F&, std::string_view>) Rename(F f)
      : function(std::move(f)),
        call([](const std::any& of, std::string_view name) -> std::string { return (*std::any_cast<F>(&of))(name); }) {}
  explicit operator bool() const { return call; }
  std::string operator()(std::string_view name) const { return call(function, name); }
};

namespace detail {
/// The path that a name or a path begins with: `layer1.0` of `layer1.0.weight`, nothing of `weight`.
inline std::string_view parent_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return name.substr(0, dot == name.npos ? 0 : dot);
}
/// Adds a tensor under another name, which no other one may have.
inline void add_as(StateDict& to, const TensorRecord& tensor, std::string name) {
  if (to.find(name))
    refuse(to.path(), {"tensor ", quoted_name(tensor.name)},
           {"becomes ", quoted_name(name), ", and so does another one"});
  TensorRecord copy = tensor;
  copy.name = std::move(name);
  to.add(std::move(copy));
}
}  // namespace detail

/// Every tensor under the name that `rename` gives it. A module's version goes where its tensors go. Throws
/// checkpoint_error if two tensors get one name.
[[gnu::noinline]] inline StateDict renamed(const StateDict& from, const Rename& rename) {
  StateDict to = from.emptied();
  for (const TensorRecord& tensor : from) {
    std::string name = rename(tensor.name);
    if (name.empty()) continue;
    if (const auto version = from.version(detail::parent_of(tensor.name)))
      to.set_version(detail::parent_of(name), *version);
    detail::add_as(to, tensor, std::move(name));
  }
  return to;
}

/// The names that begin with `old` with `fresh` in its place, the others as they are. Both are empty or end in a dot:
/// `replace_prefix(file, "module.", "")` drops DataParallel's prefix, `replace_prefix(file, "", "module.")` adds it.
/// PyTorch: torch.nn.modules.utils.consume_prefix_in_state_dict_if_present.
[[gnu::noinline]] inline StateDict replace_prefix(const StateDict& from, std::string_view old, std::string_view fresh) {
  const auto other = [&](std::string_view name) {
    return name.substr(0, old.size()) == old ? text_of({fresh, name.substr(old.size())}) : std::string(name);
  };
  StateDict to = from.emptied();
  for (const TensorRecord& tensor : from) detail::add_as(to, tensor, other(tensor.name));
  if (from.versions().empty()) return to;
  // The modules that a new prefix brings: all that wrappers say of themselves is 1.
  for (std::size_t dot = 0; old.empty() && dot < fresh.size(); dot = fresh.find('.', dot) + 1)
    to.set_version(fresh.substr(0, dot > 0 ? dot - 1 : 0), 1);
  for (const ModuleVersion& module : from.versions()) {
    std::string path = other(module.module.empty() ? "" : module.module + '.');
    if (!path.empty()) path.pop_back();
    to.set_version(path, module.version);
  }
  return to;
}

/// What lies below a path, under names that begin there: `layer4.0.conv1.weight` becomes `0.conv1.weight` below
/// `layer4`. An empty path is the whole.
[[gnu::noinline]] inline StateDict subtree(const StateDict& from, std::string_view path) {
  if (path.empty()) return from;
  const std::string prefix = text_of({path, "."});
  StateDict to = from.emptied();
  for (const TensorRecord& tensor : from)
    if (tensor.name.starts_with(prefix)) detail::add_as(to, tensor, tensor.name.substr(prefix.size()));
  for (const ModuleVersion& module : from.versions()) {
    if (module.module == path) to.set_version("", module.version);
    if (module.module.starts_with(prefix)) to.set_version(module.module.substr(prefix.size()), module.version);
  }
  if (to.empty()) refuse(from.path(), {}, {"holds nothing below ", quoted_name(path)});
  return to;
}

}  // namespace lamina::io
