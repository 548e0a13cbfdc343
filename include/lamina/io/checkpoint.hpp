/// All that a weight file tells: tensors, values beside them, the structure of the model.
#pragma once
#include "read.hpp"
#include "rename.hpp"
#include "torch_structure.hpp"
#include "values.hpp"

namespace lamina::io {

/// The content of a weight file.
struct Checkpoint {
  StateDict tensors;
  Values values;         ///< the bools, ints, floats and texts beside the state_dict, or safetensors' metadata
  ModuleTree structure;  ///< of a model that was saved whole, by torch.save(net) or save_model; or else empty
};

namespace detail {
/// Adds the plain values of a dict.
inline void add_values(const pickle::Graph& graph, pickle::Id dict, Values& to) {
  if (!graph.is(dict, pickle::Kind::dict)) return;
  const std::vector<pickle::Id>& items = graph[dict].items;
  for (std::size_t i = 0; i < items.size(); i += 2) {
    if (!graph.is(items[i], pickle::Kind::text)) continue;
    const std::string name(graph[items[i]].text);
    const pickle::Value& value = graph[items[i + 1]];
    switch (value.kind) {
    case pickle::Kind::boolean: to.set({name, value.integer != 0}); break;
    case pickle::Kind::integer: to.set({name, value.integer}); break;
    case pickle::Kind::real: to.set({name, value.real}); break;
    case pickle::Kind::text: to.set({name, std::string(value.text)}); break;
    default: break;
    }
  }
}

/// Splits `Class(own text)` into the class and its options; options without a name come first, as in Conv2d(3, 8, ..).
inline ModuleNode module_node(std::string path, std::string_view class_module, std::string_view text) {
  ModuleNode node;
  const std::size_t dot = path.rfind('.');
  node.name = path.substr(dot == path.npos ? 0 : dot + 1);
  for (const char c : path) node.depth += c == '.';
  node.depth += !path.empty();
  node.path = std::move(path);
  node.class_module = class_module;
  const std::size_t open = text.find('(');
  node.class_name = text.substr(0, open);
  if (open == text.npos) return node;
  std::string_view options = text.substr(open + 1);
  if (options.ends_with(')')) options.remove_suffix(1);
  int depth = 0;
  for (std::size_t begin = 0, i = 0; i <= options.size(); ++i) {
    const char c = i < options.size() ? options[i] : ',';
    depth += (c == '(' || c == '[') - (c == ')' || c == ']');
    if (c != ',' || depth > 0) continue;
    std::string_view option = options.substr(begin, i - begin);
    begin = i + 1;
    while (option.starts_with(' ')) option.remove_prefix(1);
    const std::size_t equals = option.find('=');
    if (option.empty()) continue;
    if (equals == option.npos) node.attributes.push_back({"", std::string(option)});
    else node.attributes.push_back({std::string(option.substr(0, equals)), std::string(option.substr(equals + 1))});
  }
  return node;
}

/// The structure that save_model writes: {path: 'Class(own text)'}.
inline ModuleTree saved_structure(const TorchFile& file) {
  const pickle::Graph& graph = file.source.graph;
  Values modules;
  add_values(graph, graph.find(graph.root, "structure"), modules);
  ModuleTree tree;
  for (const Values::Entry& module : modules)
    if (const auto* const text = std::get_if<std::string>(&module.value))
      tree.push_back(module_node(module.name, "lamina", *text));
  return tree;
}
}  // namespace detail

/// Reads all of a weight file. Throws checkpoint_error as read_state_dict does.
[[gnu::noinline]] inline Checkpoint read_checkpoint(const std::string& path) {
  MappedFile mapped(path);
  const Container container = container_of(mapped);
  Checkpoint checkpoint;
  if (container == Container::index) {
    checkpoint.tensors = read_state_dict(std::move(mapped));
    return checkpoint;
  }
  if (container == Container::safetensors) {
    std::vector<std::string> metadata;
    checkpoint.tensors = read_safetensors(std::move(mapped), &metadata);
    for (std::size_t i = 0; i + 1 < metadata.size(); i += 2)
      checkpoint.values.set({std::move(metadata[i]), std::move(metadata[i + 1])});
    return checkpoint;
  }
  TorchFile file = read_torch_file(std::move(mapped), container);
  const pickle::Graph& graph = file.source.graph;
  detail::add_values(graph, graph.root, checkpoint.values);
  checkpoint.structure = file.module == pickle::no_value ? detail::saved_structure(file) : module_tree(file);
  checkpoint.tensors = std::move(file.tensors);
  return checkpoint;
}

}  // namespace lamina::io
