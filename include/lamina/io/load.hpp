/// load(net, file): the weights of a file into a model.
#pragma once
#include "../reflect/keys.hpp"
#include "copy_elements.hpp"
#include "read.hpp"

namespace lamina {

namespace io::detail {
/// A parameter or buffer of the model that a file is to fill.
struct Target {
  std::string key;
  Dims dims;
  Dtype dtype;
  const TensorRecord* source = nullptr;
  Storage fresh{};
};
struct CollectTargets {
  std::vector<Target>& list;
  template <class P> void operator()(const Path& path, const P&) {
    if constexpr (lamina::detail::is_saved<P>) {
      Target target{{}, P::dims, dtype_of<typename P::value_type>};
      path.append_to(target.key);
      list.push_back(std::move(target));
    }
  }
};
struct Adopt {
  std::vector<Target>& list;
  std::size_t next = 0;
  template <class P> void operator()(const Path&, P& parameter) {
    if constexpr (lamina::detail::is_saved<P>)
      if (Target& target = list[next++]; target.source) parameter.adopt(std::move(target.fresh));
  }
};

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

/// Finds every target's tensor; throws load_error with all that does not fit.
inline void match(const StateDict& file, std::vector<Target>& targets, std::string_view model) {
  load_error faults("");
  std::string mismatches;
  std::map<std::string_view, bool> known;
  for (Target& target : targets) {
    known.emplace(target.key, true);
    target.source = file.find(target.key);
    if (!target.source) {
      if (!may_lack(file, target.key)) faults.missing.push_back(target.key);
    } else if (!same_shape(target.dims, target.source->shape)) {
      faults.mismatched.push_back(target.key);
      mismatches += "\n  " + target.key + ": the file has " + shape_text(target.source->shape) + ", the model " +
                    std::string((Text{} << target.dims).view());
    }
  }
  for (const TensorRecord& tensor : file)
    if (!known.contains(tensor.name)) faults.unexpected.push_back(tensor.name);
  if (faults.missing.empty() && faults.unexpected.empty() && faults.mismatched.empty()) return;
  std::string text = std::string(file.path()) + " does not fit " + std::string(model) + ":";
  if (!faults.missing.empty()) text += "\n  missing in the file: " + quoted(faults.missing);
  if (!faults.unexpected.empty()) text += "\n  not in the model: " + quoted(faults.unexpected);
  load_error error(text + mismatches);
  error.missing = std::move(faults.missing);
  error.unexpected = std::move(faults.unexpected);
  error.mismatched = std::move(faults.mismatched);
  throw error;
}
} // namespace io::detail

/// Fills every parameter and persistent buffer of a model from the tensor of its key, converted to its type. Strict:
/// keys and shapes agree exactly, or load_error lists every missing, unexpected and mismatched name. On any error the
/// model stays as it was. PyTorch: net.load_state_dict(torch.load(path)).
template <module Net> void load(Net& net, const io::StateDict& file) {
  std::vector<io::detail::Target> targets;
  for_each_stored(net, io::detail::CollectTargets{targets});
  io::detail::match(file, targets, class_name<Net>());
  for (io::detail::Target& target : targets)
    if (target.source) {
      target.fresh = Storage::uninitialized(std::size_t(count(target.dims)) * item_size(target.dtype));
      io::copy_elements(*target.source, target.dtype, target.fresh.data());
    }
  for_each_stored(net, io::detail::Adopt{targets});
}

/// Reads a .pt, .pth or .pkl file of torch.save (a state_dict, a checkpoint around one, or a whole model) or a
/// .safetensors file, and loads it. Throws checkpoint_error for a file that cannot be read, load_error for one that
/// does not fit.
template <module Net> void load(Net& net, const std::string& path) { load(net, io::read_state_dict(path)); }

} // namespace lamina
