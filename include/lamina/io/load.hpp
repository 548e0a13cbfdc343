/// load(net, file): the weights of a file into a model.
#pragma once
#include "../reflect/stored.hpp"
#include "copy_elements.hpp"
#include "read.hpp"

namespace lamina {

namespace io::detail {
/// PyTorch loads a tensor of one element and one dimension into one without dimensions.
inline bool same_shape(const Dims& dims, const std::vector<std::int64_t>& shape) {
  if (dims.rank == 0 && shape.size() == 1 && shape[0] == 1) return true;
  if (std::size_t(dims.rank) != shape.size()) return false;
  for (int i = 0; i < dims.rank; ++i)
    if (dims[i] != shape[std::size_t(i)]) return false;
  return true;
}
inline std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const std::int64_t size : shape) text += text_of({text.size() > 1 ? ", " : "", size});
  return text += ']';
}
/// BatchNorm layers of files before version 2 did not count batches; PyTorch leaves the counter as it is then.
inline bool may_lack(const StateDict& file, const std::string& key) {
  constexpr std::string_view counter = "num_batches_tracked";
  if (!key.ends_with(counter)) return false;
  const std::size_t owner = key.size() - counter.size();
  return file.version(std::string_view(key).substr(0, owner > 0 ? owner - 1 : 0)).value_or(1) < 2;
}
/// A line of an error that lists keys; nothing if there are none.
inline std::string list_of(std::string_view title, const std::vector<std::string>& keys) {
  std::string text;
  for (const std::string& key : keys) text += text_of({text.empty() ? title : ", ", "\"", key, "\""});
  return text;
}

/// The record of every saved tensor of the model, in its order; null where the file may lack it. Throws load_error with
/// all that does not fit.
inline std::vector<const TensorRecord*>
match(const StateDict& file, const std::vector<StoredTensor<const Storage*>>& model, std::string_view name) {
  std::vector<const TensorRecord*> sources(model.size());
  std::vector<char> known(file.size());
  load_error faults("");
  std::string mismatches;
  for (std::size_t i = 0; i < model.size(); ++i) {
    const StoredTensor<const Storage*>& target = model[i];
    if (!target.saved) continue;
    const TensorRecord* const source = sources[i] = file.find(target.path);
    if (source) known[std::size_t(source - &file[0])] = true;
    if (!source) {
      if (!may_lack(file, target.path)) faults.missing.push_back(target.path);
    } else if (!same_shape(target.dims, source->shape)) {
      faults.mismatched.push_back(target.path);
      mismatches += text_of({"\n  ", target.path, ": the file has ", shape_text(source->shape), ", the model ",
                             (Text{} << target.dims).view()});
    }
  }
  for (std::size_t i = 0; i < file.size(); ++i)
    if (!known[i]) faults.unexpected.push_back(file[i].name);
  if (faults.missing.empty() && faults.unexpected.empty() && faults.mismatched.empty()) return sources;
  load_error error(
      text_of({file.path(), " does not fit ", name, ":", list_of("\n  missing in the file: ", faults.missing),
               list_of("\n  not in the model: ", faults.unexpected), mismatches}));
  error.missing = std::move(faults.missing);
  error.unexpected = std::move(faults.unexpected);
  error.mismatched = std::move(faults.mismatched);
  throw error;
}

/// Converts every tensor before the first one is replaced, so that a failure leaves the model as it was. The list is
/// the one for reading, so that a program that loads and compiles has one; the model that it is of is not constant.
[[gnu::noinline]] inline void load(const std::vector<StoredTensor<const Storage*>>& model, const StateDict& file,
                                   std::string_view name) {
  const std::vector<const TensorRecord*> sources = match(file, model, name);
  std::vector<Storage> fresh(model.size());
  for (std::size_t i = 0; i < model.size(); ++i)
    if (sources[i]) {
      fresh[i] = Storage::uninitialized(model[i].bytes());
      copy_elements(*sources[i], model[i].dtype, fresh[i].data());
      fresh[i].written();
    }
  for (std::size_t i = 0; i < model.size(); ++i)
    if (sources[i]) *const_cast<Storage*>(model[i].storage) = std::move(fresh[i]);
}
}  // namespace io::detail

/// Fills every parameter and persistent buffer of a model from the tensor of its key, converted to its type. Strict:
/// keys and shapes agree exactly, or load_error lists every missing, unexpected and mismatched name. On any error the
/// model stays as it was. PyTorch: net.load_state_dict(torch.load(path)).
template <module Net> void load(Net& net, const io::StateDict& file) {
  static_assert(!std::is_const_v<Net>, "lamina: load writes to a model; this one is const");
  io::detail::load(stored_tensors(std::as_const(net)), file, class_name<Net>());
}

/// Reads a .pt, .pth or .pkl file of torch.save (a state_dict, a checkpoint around one, or a whole model) or a
/// .safetensors file, and loads it. Throws checkpoint_error for a file that cannot be read, load_error for one that
/// does not fit.
template <module Net> void load(Net& net, const std::string& path) { load(net, io::read_state_dict(path)); }

}  // namespace lamina
