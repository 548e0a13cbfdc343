/// The weight files that torch.save writes.
#pragma once
#include "container.hpp"
#include "torch_archive.hpp"
#include "torch_legacy.hpp"
#include "torch_tensor.hpp"
#include <string>
#include <string_view>
#include <utility>

namespace lamina::io {

/// A file of torch.save as inert data.
struct TorchFile {
  StateDict tensors;
  /// Everything the pickle says.
  TorchSource source;
  /// The saved module, if the file holds one and not only a state_dict: an object whose attributes are `_parameters`,
  /// `_buffers`, `_modules` and those of its class.
  pickle::Id module = pickle::no_value;
};

namespace detail {

/// Finds the weights among the values of a pickle and names them (torch/nn/modules/module.py).
class TorchReader : TorchTensors {
 public:
  explicit TorchReader(const TorchSource& source) : TorchTensors(source), tensors_(source.file) {}

  /// The tensors; and the module that holds them, if one does.
  [[gnu::cold]] StateDict read(Id& module) {
    const Id root = find_weights(graph_.root);
    if (is_module(root)) add_module(module = root, "", 0);
    else add_state_dict(root);
    // A wrong tensor elsewhere, in the state of an optimiser say, still means a file that PyTorch does not read.
    for (Id id = 0; id < graph_.values.size(); ++id)
      if (graph_.is(id, Kind::tensor)) read_tensor(id, "");
    return std::move(tensors_);
  }

 private:
  StateDict tensors_;
  std::uint64_t elements_ = 0;

  [[gnu::cold]] bool holds_tensors(Id id) const {
    if (!graph_.is(id, Kind::dict)) return false;
    const pickle::Ids& items = graph_[id].items;
    for (std::size_t i = 1; i < items.size(); i += 2)
      if (graph_.is(items[i], Kind::tensor)) return true;
    return false;
  }
  /// The state_dict or module in a root that may be a checkpoint with other things beside it.
  [[gnu::cold]] Id find_weights(Id root) const {
    if (is_module(root)) return root;
    if (!graph_.is(root, Kind::dict)) {
      if (graph_.is(root, Kind::object))
        source_.fail(
            {source_.pickle_name()},
            {"holds an object of class ", quoted_name(graph_[graph_[root].items[0]].name), ", which is no module"});
      source_.fail({source_.pickle_name()}, {"holds ", kind(root), ", not a state_dict or a module"});
    }
    for (const std::string_view key : {"state_dict", "model_state_dict", "model", "net"}) {
      const Id inner = graph_.find(root, key);
      if (holds_tensors(inner) || is_module(inner)) return inner;
    }
    if (graph_[root].items.empty() || holds_tensors(root)) return root;
    std::string keys;
    for (std::size_t i = 0; i < graph_[root].items.size() && i < 16; i += 2) {
      const Id key = graph_[root].items[i];
      keys +=
          text_of({i == 0 ? "" : ", ", graph_.is(key, Kind::text) ? quoted_name(graph_[key].text) : Piece(kind(key))});
    }
    source_.fail(
        {source_.pickle_name()},
        {"holds no tensors by name, neither itself nor under state_dict, model_state_dict, model or net; its keys: ",
         keys});
  }

  [[gnu::cold]] void add_state_dict(Id dict) {
    const pickle::Value& value = graph_[dict];
    for (std::size_t i = 0; i < value.items.size(); i += 2) {
      if (!graph_.is(value.items[i + 1], Kind::tensor)) continue;
      if (!graph_.is(value.items[i], Kind::text))
        source_.fail({source_.pickle_name()}, {"the name of a tensor is ", kind(value.items[i])});
      add_tensor(value.items[i + 1], graph_[value.items[i]].text);
    }
    const Id metadata = graph_.find(value.state, "_metadata");
    if (!graph_.is(metadata, Kind::dict)) return;
    const pickle::Ids& items = graph_[metadata].items;
    for (std::size_t i = 0; i < items.size(); i += 2) {
      const Id version = graph_.find(items[i + 1], "version");
      if (graph_.is(items[i + 1], Kind::dict)) spend(graph_[items[i + 1]].items.size());
      if (graph_.is(items[i], Kind::text) && graph_.is(version, Kind::integer))
        tensors_.set_version(graph_[items[i]].text, graph_[version].integer);
    }
  }

  // state_dict() of a module: its own parameters, its own persistent buffers, then each child.
  [[gnu::cold]] void add_module(Id module, const std::string& prefix, int depth) {
    if (depth > 100) fail_module(prefix, {"modules are nested more than 100 levels deep"});
    if (!is_module(module)) fail_module(prefix, {"is ", kind(module), ", not a module"});
    spend(graph_[graph_[module].state].items.size());
    const Id transient = graph_.attribute(module, "_non_persistent_buffers_set");
    add_own(graph_.attribute(module, "_parameters"), pickle::no_value, prefix);
    add_own(graph_.attribute(module, "_buffers"), transient, prefix);
    const pickle::Ids& children = graph_[graph_.attribute(module, "_modules")].items;
    spend(children.size());
    for (std::size_t i = 0; i < children.size(); i += 2) {
      if (graph_.is(children[i + 1], Kind::none)) continue;
      if (!graph_.is(children[i], Kind::text)) fail_module(prefix, {"the name of a child is ", kind(children[i])});
      const std::string_view name = graph_[children[i]].text;
      spend((prefix.size() + name.size()) / 8);  // shared children can spell out exponentially many paths
      add_module(children[i + 1], text_of({prefix, name, "."}), depth + 1);
    }
  }
  [[gnu::cold]] void add_own(Id dict, Id left_out, const std::string& prefix) {
    if (!graph_.is(dict, Kind::dict)) {
      if (dict == pickle::no_value) return;
      fail_module(prefix, {"its parameters or buffers are ", kind(dict), ", not a dict"});
    }
    const pickle::Ids& items = graph_[dict].items;
    spend(items.size());
    for (std::size_t i = 0; i < items.size(); i += 2) {
      const Id key = items[i], tensor = items[i + 1];
      if (!graph_.is(key, Kind::text)) fail_module(prefix, {"the name of a tensor is ", kind(key)});
      if (graph_.is(tensor, Kind::none) || contains(left_out, graph_[key].text)) continue;
      if (!graph_.is(tensor, Kind::tensor))
        fail_module(prefix, {quoted_name(graph_[key].text), " is ", kind(tensor), ", not a tensor"});
      add_tensor(tensor, text_of({prefix, graph_[key].text}));
    }
  }
  [[gnu::cold]] void add_tensor(Id id, std::string_view name) {
    spend(8 + name.size() / 8);
    TensorRecord tensor = read_tensor(id, name);
    // A stride of 0 lets a few bytes claim any number of elements.
    const std::uint64_t most = std::uint64_t(1 << 20) + 64 * std::uint64_t(source_.file.bytes().size());
    elements_ += static_cast<std::uint64_t>(tensor.numel()) * item_size(tensor.dtype);
    if (elements_ > most)
      source_.fail({"tensor ", quoted_name(name)}, {"the tensors would take far more memory than the file holds"});
    tensor.name = name;
    tensors_.add(std::move(tensor));
  }
};

}  // namespace detail

/// Finds the weights in what torch.save wrote: a state_dict, a checkpoint that holds one under `state_dict`,
/// `model_state_dict`, `model` or `net`, or a whole module, whose tensors get the names of its state_dict. Throws
/// checkpoint_error.
[[gnu::cold]] inline void find_weights(TorchFile& file) {
  file.tensors = detail::TorchReader(file.source).read(file.module);
}

/// Reads a file of torch.save; `container` is zip or legacy. Nothing in the file is run. Throws checkpoint_error.
[[gnu::cold]] inline TorchFile read_torch_file(MappedFile mapped, Container container) {
  const bool legacy = container == Container::legacy;
  TorchFile file{{}, TorchSource(std::move(mapped), legacy)};
  legacy ? read_torch_legacy(file.source) : read_torch_archive(file.source);
  find_weights(file);
  return file;
}

}  // namespace lamina::io
