/// Files that hold a model's structure beside its weights.
#pragma once
#include "../core/list.hpp"
#include "../reflect/outline.hpp"
#include "checkpoint.hpp"
#include "load.hpp"
#include "model_difference.hpp"
#include "save.hpp"

namespace lamina {

namespace io::detail {
/// The structure of a model, as `{path: 'Class(own text)'}`.
inline Values structure_of(const std::vector<OutlineRow>& rows) {
  Values structure;
  std::string path;
  lamina::detail::List<std::size_t> path_size;  // of the module last seen at each depth
  for (const OutlineRow& row : rows) {
    path_size.resize(std::size_t(row.depth));
    path.resize(path_size.empty() ? 0 : path_size.back());
    if (!path.empty()) path += '.';
    path += row.name;
    path_size.push_back(path.size());
    structure.set({path, text_of({row.class_name, "(", row.own_text, ")"})});
  }
  return structure;
}

[[gnu::noinline]] inline void save_model(const StateDict& tensors, const Values& structure, const std::string& path,
                                         const save_options& options) {
  if (path.ends_with(".safetensors"))
    refuse(path, "",
           "a safetensors file has no place for the structure of a model: save its weights alone, or to a .pt file");
  if (!options.add_prefix.empty())
    refuse(path, "", "the names of a whole model are those of its structure: no prefix is added");
  OutputFile file(path);
  write_torch_file(file, tensors, options.dtype, options.values, structure);
  file.commit();
}

[[gnu::noinline]] inline void load_model(const StoredTensors<const Storage*>& model,
                                         const std::vector<OutlineRow>& rows, std::string_view name,
                                         const Checkpoint& file, std::string_view part) {
  if (file.structure.empty())
    refuse(file.tensors.path(), "",
           "holds weights and no structure: load() reads it, load_model() compares structures");
  const std::vector<std::string> differences = model_differences(file.structure, structure_of(rows), part);
  if (differences.empty()) return void(load(model, subtree(file.tensors, part), name, true));
  constexpr std::size_t most = 8;
  std::string text = text_of({file.tensors.path(), " holds another model than ", name, ":"});
  for (std::size_t i = 0; i < differences.size() && i < most; ++i) text += text_of({"\n  ", differences[i]});
  if (differences.size() > most) text += text_of({"\n  and ", differences.size() - most, " more differences"});
  load_error error(text);
  error.differences = differences;
  throw error;
}
}  // namespace io::detail

/// Writes a model's structure and weights: a file of torch.save with the state_dict under 'state_dict' and, under
/// 'structure', the class and options of each module by its path, as print(net) shows them. torch.load(path,
/// weights_only=True) reads it as plain data, and load() reads the weights alone.
template <module Net> void save_model(const Net& net, const std::string& path, const save_options& options = {}) {
  io::detail::save_model(state_dict(net), io::detail::structure_of(outline(net, Names::all)), path, options);
}

/// Loads a file of torch.save(net) or save_model if its structure is that of the model; otherwise load_error names the
/// first differences by their paths, and the model stays as it was. Compared are the modules and their names, the
/// classes of torch.nn (a class of the user's may go by another name in C++), the options that print(net) shows but for
/// `inplace`, and the shapes of parameters and buffers. `part` is the path of the module in the file that the model
/// stands for: `module` for a file of a model that DataParallel wraps.
///   load_model(net, "model.pt");
///   load_model(net, "wrapped.pt", "module");
/// Throws checkpoint_error for a file that cannot be read or holds no structure.
template <module Net> void load_model(Net& net, const std::string& path, std::string_view part = "") {
  static_assert(!std::is_const_v<Net>, "lamina: load_model writes to a model; this one is const");
  io::detail::load_model(stored_tensors(std::as_const(net), Names::all), outline(net, Names::all), class_name<Net>(),
                         io::read_checkpoint(path), part);
}

}  // namespace lamina
