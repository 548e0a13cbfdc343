/// The structure of a module that torch.save wrote whole.
#pragma once
#include "../reflect/python_text.hpp"
#include "container.hpp"
#include "module_tree.hpp"
#include "saved_structure.hpp"
#include "torch_file.hpp"
#include <string>
#include <string_view>

namespace lamina::io {

namespace detail {

/// Names the modules of a file and writes their attributes as text (torch/nn/modules/module.py).
class StructureReader : TorchTensors {
 public:
  explicit StructureReader(const TorchSource& source) : TorchTensors(source) {}

  [[gnu::cold]] ModuleTree read(Id module) {
    add(module, "", "", 0);
    return std::move(tree_);
  }

 private:
  ModuleTree tree_;
  static constexpr std::size_t longest_value = 1000;  // bytes of an attribute's text; more is cut
  static constexpr int deepest_value = 8;

  // What torch.nn.Module keeps about itself. Its hooks are functions, which a pickle only names.
  [[gnu::cold]] static bool is_bookkeeping(std::string_view name) {
    for (const std::string_view own :
         {"_parameters", "_buffers", "_modules", "_non_persistent_buffers_set", "_is_full_backward_hook"})
      if (name == own) return true;
    const bool hooks = name.find("_hooks") != name.npos;
    return hooks && name.starts_with('_');
  }

  [[gnu::cold]] void add(Id module, const std::string& path, std::string_view name, std::size_t depth) {
    if (depth > 100) fail_module(path + ".", {"modules are nested more than 100 levels deep"});
    if (!is_module(module)) fail_module(path + ".", {"is ", kind(module), ", not a module"});
    const pickle::Value& type = graph_[graph_[module].items[0]];
    const pickle::Ids& attributes = graph_[graph_[module].state].items;
    spend(8 + attributes.size() + path.size() / 8);
    ModuleNode node{path, std::string(name), std::string(type.text), std::string(type.name), depth, {}, {}};
    for (std::size_t i = 0; i < attributes.size(); i += 2) {
      if (!graph_.is(attributes[i], Kind::text) || is_bookkeeping(graph_[attributes[i]].text)) continue;
      PythonText value;
      write(attributes[i + 1], value, 0);
      spend(2 + value.view().size() / 8);  // many attributes can share one long text
      node.attributes.push_back({std::string(graph_[attributes[i]].text), cut(value.take())});
    }
    add_tensors(graph_.attribute(module, "_parameters"), pickle::no_value, true, node);
    add_tensors(graph_.attribute(module, "_buffers"), graph_.attribute(module, "_non_persistent_buffers_set"), false,
                node);
    tree_.push_back(std::move(node));
    const pickle::Ids& children = graph_[graph_.attribute(module, "_modules")].items;
    for (std::size_t i = 0; i < children.size(); i += 2) {
      if (graph_.is(children[i + 1], Kind::none)) continue;
      if (!graph_.is(children[i], Kind::text)) fail_module(path + ".", {"the name of a child is ", kind(children[i])});
      const std::string_view child = graph_[children[i]].text;
      add(children[i + 1], text_of({path, path.empty() ? "" : ".", child}), child, depth + 1);
    }
  }

  [[gnu::cold]] void add_tensors(Id dict, Id transient, bool parameter, ModuleNode& node) {
    if (!graph_.is(dict, Kind::dict)) return;
    const pickle::Ids& items = graph_[dict].items;
    spend(items.size());
    for (std::size_t i = 0; i < items.size(); i += 2) {
      if (!graph_.is(items[i], Kind::text) || !graph_.is(items[i + 1], Kind::tensor)) continue;
      const std::string_view name = graph_[items[i]].text;
      const TensorRecord tensor = read_tensor(items[i + 1], name);
      node.tensors.push_back({std::string(name), tensor.dtype, tensor.shape, parameter, !contains(transient, name)});
    }
  }

  [[gnu::cold]] static std::string cut(std::string text) {
    if (text.size() > longest_value) text.resize(longest_value), text += "...";
    return text;
  }

  /// The value as Python would show it, as far as a pickle tells.
  [[gnu::cold]] void write(Id id, PythonText& out, int depth) {
    spend(1);
    if (depth > deepest_value || out.view().size() > longest_value) {
      out << "...";
      return;
    }
    if (id == pickle::no_value) return;
    const pickle::Value& value = graph_[id];
    switch (value.kind) {
    case Kind::none: out << "None"; return;
    case Kind::boolean: out << (value.integer != 0); return;
    case Kind::integer: out << value.integer; return;
    case Kind::long_integer: out << "<int beyond 64 bits>"; return;
    case Kind::real: out << value.real; return;
    case Kind::text: out << '\'' << text_of({printable(value.text)}) << '\''; return;
    case Kind::bytes: out << "<" << value.text.size() << " bytes>"; return;
    case Kind::tuple: return write_items(value.items, 0, "(", value.items.size() == 1 ? ",)" : ")", out, depth);
    case Kind::list: return write_items(value.items, 0, "[", "]", out, depth);
    case Kind::set: return write_items(value.items, 0, "{", "}", out, depth);
    case Kind::dict: return write_dict(value.items, out, depth);
    case Kind::global: out << text_of({printable(value.text), ".", printable(value.name)}); return;
    case Kind::persistent: out << "<storage>"; return;
    case Kind::tensor: return write_shape(read_tensor(id, "").shape, out);
    case Kind::call: write(value.items[0], out, depth); return write_items(value.items, 1, "(", ")", out, depth);
    case Kind::object:
      out << '<';
      write(value.items[0], out, depth);
      out << '>';
    }
  }
  [[gnu::cold]] void write_items(const pickle::Ids& items, std::size_t first, std::string_view open,
                                 std::string_view close, PythonText& out, int depth) {
    out << open;
    for (std::size_t i = first; i < items.size() && out.view().size() <= longest_value; ++i) {
      if (i > first) out << ", ";
      write(items[i], out, depth + 1);
    }
    out << close;
  }
  [[gnu::cold]] void write_dict(const pickle::Ids& items, PythonText& out, int depth) {
    out << '{';
    for (std::size_t i = 0; i < items.size() && out.view().size() <= longest_value; i += 2) {
      if (i > 0) out << ", ";
      write(items[i], out, depth + 1);
      out << ": ";
      write(items[i + 1], out, depth + 1);
    }
    out << '}';
  }
  [[gnu::cold]] static void write_shape(const std::vector<std::int64_t>& shape, PythonText& out) {
    out << "<tensor [";
    for (std::size_t i = 0; i < shape.size(); ++i) out << (i > 0 ? ", " : "") << shape[i];
    out << "]>";
  }
};

}  // namespace detail

/// The structure of the module in a file that was read, or the one that save_model wrote beside a state_dict; empty if
/// there is neither.
inline ModuleTree module_tree(const TorchFile& file) {
  if (file.module != pickle::no_value) return detail::StructureReader(file.source).read(file.module);
  const pickle::Graph& graph = file.source.graph;
  return saved_structure(graph, graph.find(graph.root, "structure"));
}

/// The structure of the module that a file of torch.save holds. A file without one (a state_dict, a checkpoint of one,
/// safetensors) and a file that read_state_dict refuses throw checkpoint_error.
inline ModuleTree read_module_tree(MappedFile file) {
  const Container container = container_of(file);
  if (container != Container::zip && container != Container::legacy)
    refuse(file.path(), "", "holds tensors and no structure: it is no file of torch.save");
  const TorchFile content = read_torch_file(std::move(file), container);
  ModuleTree tree = module_tree(content);
  if (tree.empty())
    content.source.fail(content.source.pickle_name(),
                        "holds a state_dict and not a whole model: there is no structure");
  return tree;
}
inline ModuleTree read_module_tree(const std::string& path) { return read_module_tree(MappedFile(path)); }

}  // namespace lamina::io
