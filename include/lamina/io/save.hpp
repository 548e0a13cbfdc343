/// save(net, file): the weights of a model into a file.
#pragma once
#include "../reflect/stored.hpp"
#include "rename.hpp"
#include "write_safetensors.hpp"
#include "write_torch_file.hpp"

namespace lamina {

/// How weights are written.
struct save_options {
  /// Floating-point tensors are converted to it, as `net.half()` or `net.bfloat16()` would; integers stay.
  std::optional<Dtype> dtype{};
  /// Before every name: `module.` for PyTorch models that DataParallel wraps.
  std::string add_prefix{};
  /// Written beside the weights.
  io::Values values{};
};

namespace io {
/// Writes tensors to a file: safetensors if its name ends in `.safetensors`, or else as torch.save does. The file
/// appears whole or not at all: on an error, and after a crash, the old one is still there. Throws checkpoint_error.
[[gnu::noinline]] inline void write(const StateDict& tensors, const std::string& path,
                                    const save_options& options = {}) {
  OutputFile file(path);
  StateDict prefixed;
  if (!options.add_prefix.empty()) prefixed = replace_prefix(tensors, "", options.add_prefix);
  const StateDict& written = options.add_prefix.empty() ? tensors : prefixed;
  if (path.ends_with(".safetensors")) write_safetensors(file, written, options.dtype, options.values);
  else write_torch_file(file, written, options.dtype, options.values);
  file.commit();
}

namespace detail {
/// A module's version: a class says it if it is not 1 (torch.nn.Module._version).
template <class M> constexpr std::int64_t module_version() {
  if constexpr (requires { M::lamina_version; }) return M::lamina_version;
  else return 1;
}
struct AddVersion {
  StateDict& tensors;
  template <class M> void operator()(const Path& path, const M&) const { add(path, module_version<M>()); }
  [[gnu::noinline]] void add(const Path& path, std::int64_t version) const {
    std::string text;
    path.append_to(text);
    tensors.set_version(text, version);
  }
};

/// Adds what the model stores; the bytes stay where they are.
[[gnu::noinline]] inline void add_tensors(const StoredTensors<const Storage*>& model, std::string_view name,
                                          StateDict& to) {
  for (const StoredTensor<const Storage*>& tensor : model) {
    if (!tensor.saved) continue;
    if (!*tensor.storage)
      throw parameter_error(text_of({name, ": ", tensor.path, " has no values yet, so there is nothing to save"}));
    TensorRecord record;
    record.name = tensor.path;
    record.dtype = tensor.dtype;
    for (int i = 0; i < tensor.dims.rank; ++i) record.shape.push_back(tensor.dims[i]);
    record.strides = contiguous_strides(record.shape);
    record.data = tensor.storage->data();
    record.memory = tensor.storage->memory();
    to.add(std::move(record));
  }
}
}  // namespace detail
}  // namespace io

/// The parameters and persistent buffers of a model by name, in PyTorch's order and with the versions of its modules.
/// The elements are the model's own: it has to outlive the result. Throws parameter_error where one has no values.
/// PyTorch: net.state_dict().
template <module Net> io::StateDict state_dict(const Net& net) {
  io::StateDict tensors;
  io::detail::add_tensors(stored_tensors(net, Names::all), class_name<Net>(), tensors);
  for_each_module(net, io::detail::AddVersion{tensors});
  return tensors;
}

/// Writes the weights of a model: a file that ends in `.safetensors` is one, any other is as
/// torch.save(net.state_dict(), path) writes it, for torch.load(path, weights_only=True). Throws checkpoint_error if
/// the file cannot be written, and parameter_error if a parameter has no values; the old file is still there then.
///   save(net, "net.pth");
///   save(net, "half.safetensors", {.dtype = Dtype::float16});
///   save(net, "last.pth", {.values = {{"epoch", 5}, {"best", 0.93}}});
template <module Net> void save(const Net& net, const std::string& path, const save_options& options = {}) {
  io::write(state_dict(net), path, options);
}

}  // namespace lamina
