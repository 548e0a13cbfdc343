/// How load brings the names of a file and those of a model together.
#pragma once
#include "../reflect/stored.hpp"
#include "rename.hpp"
#include "state_dict.hpp"
#include <string>
#include <string_view>

namespace lamina {

/// Options of load. The names of a file change in this order: subtree, rename, drop_prefix, add_prefix, match_wrappers.
struct load_options {
  /// False: names that only one side has are no error, and are returned. Shapes that differ are one all the same, as in
  /// PyTorch.
  bool strict = true;
  /// Only what the file has below this path, as if it were the whole: `load(net.layer4, file, {.subtree = "layer4"})`.
  std::string subtree{};
  /// The name that the model has for a name of the file; an empty one leaves the tensor out.
  io::Rename rename{};
  /// Dropped from the names of the file, `module.` say, if every name that fits the model at all fits it without.
  std::string drop_prefix{};
  /// Put before the names of the file if every name that fits the model at all fits it with it.
  std::string add_prefix{};
  /// Drops and adds the prefixes `module.` (DataParallel, DistributedDataParallel) and `_orig_mod.` (torch.compile), in
  /// whatever order, so that most names fit.
  bool match_wrappers = false;
};

namespace io::detail {
/// The names of a model.
class ModelNames {
  NameMap names_;

 public:
  explicit ModelNames(const StoredTensors<const Storage*>& model) {
    for (const auto& tensor : model)
      if (tensor.saved) names_.number(tensor.path, 0);
  }
  /// Whether the model has a name with `fresh` in the place of `old`, with which it begins.
  bool fits(std::string_view name, std::string_view old, std::string_view fresh) const {
    return name.substr(0, old.size()) == old && names_.find(text_of({fresh, name.substr(old.size())}));
  }
  /// Whether the change suits every name that fits the model before or after it. If none does, whether it leads all.
  bool suits(const StateDict& file, std::string_view old, std::string_view fresh) const {
    bool some = false, leads = true;
    for (const TensorRecord& tensor : file) {
      const bool after = fits(tensor.name, old, fresh);
      if (!after && fits(tensor.name, "", "")) return false;
      some = some || after;
      leads = leads && tensor.name.starts_with(old);
    }
    return some || leads;
  }
  std::size_t count(const StateDict& file, std::string_view old, std::string_view fresh) const {
    std::size_t count = 0;
    for (const TensorRecord& tensor : file) count += fits(tensor.name, old, fresh);
    return count;
  }
};

/// The tensors of a file under the names that the options give them.
[[gnu::noinline]] inline StateDict fitted(const StateDict& file, const StoredTensors<const Storage*>& model,
                                          const load_options& options) {
  const ModelNames names(model);
  StateDict now = subtree(file, options.subtree);
  if (options.rename) now = renamed(now, options.rename);
  const auto change = [&](std::string_view old, std::string_view fresh) {
    if (old != fresh && names.suits(now, old, fresh)) now = replace_prefix(now, old, fresh);
  };
  change(options.drop_prefix, "");
  change("", options.add_prefix);
  if (!options.match_wrappers) return now;
  constexpr std::string_view wrappers[] = {"", "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."};
  std::string_view old, fresh;
  std::size_t most = names.count(now, "", "");
  for (const std::string_view from : wrappers)
    for (const std::string_view to : wrappers)
      if (const std::size_t count = names.count(now, from, to); count > most) most = count, old = from, fresh = to;
  change(old, fresh);
  return now;
}
}  // namespace io::detail

}  // namespace lamina
