/// load(net, file): the weights of a file into a model.
#pragma once
#include "../core/list.hpp"
#include "../reflect/stored.hpp"
#include "element_bytes.hpp"
#include "load_options.hpp"
#include "read.hpp"

namespace lamina {

/// What a load that is not strict left alone: names in order. PyTorch: the result of load_state_dict.
struct IncompatibleKeys {
  std::vector<std::string> missing{};     ///< names of the model that the file lacks: they keep their values
  std::vector<std::string> unexpected{};  ///< names of the file that the model lacks
};

namespace io::detail {
/// PyTorch loads a tensor of one element and one dimension into one without dimensions.
[[gnu::cold]] inline bool same_shape(const Dims& dims, const std::vector<std::int64_t>& shape) {
  if (dims.rank == 0 && shape.size() == 1 && shape[0] == 1) return true;
  if (std::size_t(dims.rank) != shape.size()) return false;
  for (int i = 0; i < dims.rank; ++i)
    if (dims[i] != shape[std::size_t(i)]) return false;
  return true;
}
[[gnu::cold]] inline std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const std::int64_t size : shape) text += text_of({text.size() > 1 ? ", " : "", size});
  return text += ']';
}
/// BatchNorm layers of files before version 2 did not count batches; PyTorch leaves the counter as it is then.
[[gnu::cold]] inline bool may_lack(const StateDict& file, const std::string& key) {
  constexpr std::string_view counter = "num_batches_tracked";
  if (!key.ends_with(counter)) return false;
  const std::size_t owner = key.size() - counter.size();
  return file.version(std::string_view(key).substr(0, owner > 0 ? owner - 1 : 0)).value_or(1) < 2;
}
/// A line of an error that lists keys; nothing if there are none.
[[gnu::cold]] inline std::string list_of(std::string_view title, const std::vector<std::string>& keys) {
  std::string text;
  for (const std::string& key : keys) text += text_of({text.empty() ? title : ", ", "\"", key, "\""});
  return text;
}

/// A tensor of the model that a load fills.
struct Fill {
  const Storage* target;
  const TensorRecord* source;  // null: zeros
  Dtype dtype;
  std::size_t bytes;
};

/// Says which tensors a load fills, and from what. Throws load_error with all that does not fit.
[[gnu::cold]] inline lamina::detail::List<Fill> match(const StateDict& file, const StoredTensors<const Storage*>& model,
                                                      std::string_view name, bool strict, IncompatibleKeys& skipped) {
  lamina::detail::List<Fill> fills;
  lamina::detail::List<char> known(file.size());
  load_error faults("");
  std::string mismatches;
  for (const StoredTensor<const Storage*>& target : model) {
    if (!target.saved) continue;
    const TensorRecord* const source = file.find(target.path);
    if (source) known[std::size_t(source - &file[0])] = true;
    if (!source && !may_lack(file, target.path)) faults.missing.push_back(target.path);
    if (source && !same_shape(target.dims, source->shape)) {
      faults.mismatched.push_back(target.path);
      mismatches += text_of({"\n  ", target.path, ": the file has ", shape_text(source->shape), ", the model ",
                             (Text{} << target.dims).view()});
    }
    // A counter that an old file lacks starts at 0, as in PyTorch; one that counts already goes on.
    if (source || (!*target.storage && may_lack(file, target.path)))
      fills.push_back({target.storage, source, target.dtype, target.bytes()});
  }
  for (std::size_t i = 0; i < file.size(); ++i)
    if (!known[i]) faults.unexpected.push_back(file[i].name);
  const bool names_differ = !faults.missing.empty() || !faults.unexpected.empty();
  if (faults.mismatched.empty() && !(strict && names_differ)) {
    skipped.missing = std::move(faults.missing);
    skipped.unexpected = std::move(faults.unexpected);
    return fills;
  }
  load_error error(
      text_of({file.path(), " does not fit ", name, ":", list_of("\n  missing in the file: ", faults.missing),
               list_of("\n  not in the model: ", faults.unexpected), mismatches}));
  error.missing = std::move(faults.missing);
  error.unexpected = std::move(faults.unexpected);
  error.mismatched = std::move(faults.mismatched);
  throw error;
}

inline void fill_on_host(const Fill& fill, std::byte* elements) {
  if (fill.source) copy_elements(*fill.source, fill.dtype, elements);
  else std::memset(elements, 0, fill.bytes);
}
/// `buffer` is used where the bytes do not lie in the file as they are wanted.
[[gnu::cold]] inline void fill_on_device(const Fill& fill, const Storage& storage, std::vector<std::byte>& buffer) {
  std::string_view bytes;
  if (fill.source) bytes = element_bytes(*fill.source, fill.dtype, buffer);
  else {
    buffer.assign(fill.bytes, std::byte());
    bytes = {reinterpret_cast<const char*>(buffer.data()), fill.bytes};
  }
  storage.memory()->copy_from_host(storage.data(), reinterpret_cast<const std::byte*>(bytes.data()), bytes.size());
}

/// Checks everything, takes all memory and fills that of devices before the first element of the model changes, so that
/// a failure leaves it as it was; elements on the host that nobody shares are replaced where they are. The list is the
/// one for reading, so that a program that loads and compiles has one; the model that it is of is not constant.
[[gnu::noinline, gnu::cold]] inline IncompatibleKeys load(const StoredTensors<const Storage*>& model,
                                                          const StateDict& file, std::string_view name, bool strict) {
  IncompatibleKeys skipped;
  const lamina::detail::List<Fill> fills = match(file, model, name, strict, skipped);
  bool from_files = true;  // and not from the memory of a model, this one perhaps
  for (const Fill& fill : fills) from_files = from_files && (!fill.source || file.maps(fill.source->data));
  lamina::detail::List<Storage> fresh(fills.size());
  for (std::size_t i = 0; i < fills.size(); ++i)
    if (!from_files || !fills[i].target->unique() || fills[i].target->memory())
      fresh[i] = fills[i].target->similar(fills[i].bytes);
  std::vector<std::byte> buffer;
  for (std::size_t i = 0; i < fills.size(); ++i)
    if (fresh[i].memory()) fill_on_device(fills[i], fresh[i], buffer);
  for (std::size_t i = 0; i < fills.size(); ++i) {
    Storage& filled = fresh[i] ? fresh[i] : *const_cast<Storage*>(fills[i].target);
    if (!filled.memory()) fill_on_host(fills[i], filled.data());
    filled.written();
  }
  // Only now: a model's own memory may have been read until here.
  for (std::size_t i = 0; i < fills.size(); ++i)
    if (fresh[i]) *const_cast<Storage*>(fills[i].target) = std::move(fresh[i]);
  return skipped;
}
/// The same under the names that options give; noinline, so that only who has options compiles them.
[[gnu::noinline, gnu::cold]] inline IncompatibleKeys load(const StoredTensors<const Storage*>& model,
                                                          const StateDict& file, std::string_view name,
                                                          const load_options& options) {
  return load(model, fitted(file, model, options), name, options.strict);
}
}  // namespace io::detail

/// Fills every parameter and persistent buffer of a model from the tensor of its key, converted to its type. Strict:
/// keys and shapes agree exactly, or load_error lists every missing, unexpected and mismatched name. On any error the
/// model stays as it was. PyTorch: net.load_state_dict(torch.load(path)).
template <module Net> void load(Net& net, const io::StateDict& file) {
  static_assert(!std::is_const_v<Net>, "lamina: load writes to a model; this one is const");
  io::detail::load(stored_tensors(std::as_const(net), Names::all), file, class_name<Net>(), true);
}
/// The same with options; returns the names that were left alone if it is not strict.
///   load(net, file, {.drop_prefix = "module."});
///   const IncompatibleKeys skipped = load(net, file, {.strict = false});
template <module Net> IncompatibleKeys load(Net& net, const io::StateDict& file, const load_options& options) {
  static_assert(!std::is_const_v<Net>, "lamina: load writes to a model; this one is const");
  return io::detail::load(stored_tensors(std::as_const(net), Names::all), file, class_name<Net>(), options);
}

/// Reads a .pt, .pth or .pkl file of torch.save (a state_dict, a checkpoint around one, or a whole model) or a
/// .safetensors file, and loads it. Throws checkpoint_error for a file that cannot be read, load_error for one that
/// does not fit.
template <module Net> void load(Net& net, const std::string& path) { load(net, io::read_state_dict(path)); }
/// The same with options.
template <module Net> IncompatibleKeys load(Net& net, const std::string& path, const load_options& options) {
  return load(net, io::read_state_dict(path), options);
}

}  // namespace lamina
