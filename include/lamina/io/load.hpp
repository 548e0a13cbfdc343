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
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}
/// BatchNorm layers of files before version 2 did not count batches; PyTorch leaves the counter as it is then.
inline bool may_lack(const StateDict& file, const std::string& key) {
  constexpr std::string_view counter = "num_batches_tracked";
  if (!key.ends_with(counter)) return false;
  const std::size_t owner = key.size() - counter.size();
  return file.version(std::string_view(key).substr(0, owner > 0 ? owner - 1 : 0)).value_or(1) < 2;
}
inline std::string quoted(const std::vector<std::string>& keys) {
  std::string text;
  for (const std::string& key : keys) text += (text.empty() ? "\"" : ", \"") + key + '"';
  return text;
}

/// The record of every saved tensor of the model, in its order; null where the file may lack it. Throws load_error with
/// all that does not fit.
inline std::vector<const TensorRecord*> match(const StateDict& file, const std::vector<StoredTensor<Storage*>>& model,
                                              std::string_view name) {
  std::vector<const TensorRecord*> sources;
  load_error faults("");
  std::string mismatches;
  std::map<std::string_view, const TensorRecord*> known;
  for (const StoredTensor<Storage*>& target : model) {
    const TensorRecord* source = target.saved ? file.find(target.path) : nullptr;
    sources.push_back(source);
    if (!target.saved) continue;
    known.emplace(target.path, source);
    if (!source) {
      if (!may_lack(file, target.path)) faults.missing.push_back(target.path);
    } else if (!same_shape(target.dims, source->shape)) {
      faults.mismatched.push_back(target.path);
      mismatches += "\n  " + target.path + ": the file has " + shape_text(source->shape) + ", the model " +
                    std::string((Text{} << target.dims).view());
    }
  }
  for (const TensorRecord& tensor : file)
    if (!known.contains(tensor.name)) faults.unexpected.push_back(tensor.name);
  if (faults.missing.empty() && faults.unexpected.empty() && faults.mismatched.empty()) return sources;
  std::string text = std::string(file.path()) + " does not fit " + std::string(name) + ":";
  if (!faults.missing.empty()) text += "\n  missing in the file: " + quoted(faults.missing);
  if (!faults.unexpected.empty()) text += "\n  not in the model: " + quoted(faults.unexpected);
  load_error error(text + mismatches);
  error.missing = std::move(faults.missing);
  error.unexpected = std::move(faults.unexpected);
  error.mismatched = std::move(faults.mismatched);
  throw error;
}

/// Converts every tensor before the first one is replaced, so that a failure leaves the model as it was.
inline void load(const std::vector<StoredTensor<Storage*>>& model, const StateDict& file, std::string_view name) {
  const std::vector<const TensorRecord*> sources = match(file, model, name);
  std::vector<Storage> fresh(model.size());
  for (std::size_t i = 0; i < model.size(); ++i)
    if (sources[i]) {
      fresh[i] = Storage::uninitialized(model[i].bytes());
      copy_elements(*sources[i], model[i].dtype, fresh[i].data());
      fresh[i].written();
    }
  for (std::size_t i = 0; i < model.size(); ++i)
    if (sources[i]) *model[i].storage = std::move(fresh[i]);
}
}  // namespace io::detail

/// Fills every parameter and persistent buffer of a model from the tensor of its key, converted to its type. Strict:
/// keys and shapes agree exactly, or load_error lists every missing, unexpected and mismatched name. On any error the
/// model stays as it was. PyTorch: net.load_state_dict(torch.load(path)).
template <module Net> void load(Net& net, const io::StateDict& file) {
  io::detail::load(stored_tensors(net), file, class_name<Net>());
}

/// Reads a .pt, .pth or .pkl file of torch.save (a state_dict, a checkpoint around one, or a whole model) or a
/// .safetensors file, and loads it. Throws checkpoint_error for a file that cannot be read, load_error for one that
/// does not fit.
template <module Net> void load(Net& net, const std::string& path) { load(net, io::read_state_dict(path)); }

}  // namespace lamina
