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
  const pickle::Ids& items = graph[dict].items;
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
      if (metadata[i] != "format") checkpoint.values.set({std::move(metadata[i]), std::move(metadata[i + 1])});
    return checkpoint;
  }
  TorchFile file = read_torch_file(std::move(mapped), container);
  const pickle::Graph& graph = file.source.graph;
  detail::add_values(graph, graph.root, checkpoint.values);
  checkpoint.structure = module_tree(file);
  checkpoint.tensors = std::move(file.tensors);
  return checkpoint;
}

}  // namespace lamina::io
