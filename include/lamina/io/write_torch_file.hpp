/// Files of weights as torch.save writes them.
#pragma once
#include "../core/list.hpp"
#include "../core/text.hpp"
#include "bytes.hpp"
#include "element_bytes.hpp"
#include "pickle_writer.hpp"
#include "torch_source.hpp"
#include "values.hpp"
#include <optional>
#include <vector>

namespace lamina::io {

namespace detail {
class TorchWriter {
  const StateDict& tensors_;
  const std::optional<Dtype> dtype_;
  OutputFile& file_;
  PickleWriter pickle_;
  lamina::detail::List<std::size_t> storage_of_;        // the number of the storage of every tensor
  lamina::detail::List<const TensorRecord*> storages_;  // the first tensor of each

 public:
  TorchWriter(const StateDict& tensors, const std::optional<Dtype>& dtype, OutputFile& file)
      : tensors_(tensors), dtype_(dtype), file_(file) {
    find_storages();
  }

  void write(const Values& values, const Values& structure) {
    const bool alone = values.empty() && structure.empty();
    if (!alone) pickle_.begin_dict().text("state_dict");
    put_state_dict();
    if (!structure.empty()) {
      pickle_.text("structure").begin_dict();
      for (const Values::Entry& module : structure) put(module);
      pickle_.end_dict();
    }
    for (const Values::Entry& value : values) {
      for (const std::string_view taken : {"state_dict", "structure"})
        if (value.name == taken)
          refuse(file_.path(), {}, {"a value is named ", quoted_name(value.name), ", as a part of the file is"});
      put(value);
    }
    if (!alone) pickle_.end_dict();

    ZipWriter zip(file_);
    zip.add("data.pkl", pickle_.finish());
    zip.add("byteorder", "little");
    std::vector<std::byte> buffer;
    for (std::size_t i = 0; i < storages_.size(); ++i)
      zip.add(text_of({"data/", i}), element_bytes(*storages_[i], written_dtype(storages_[i]->dtype, dtype_), buffer));
    zip.add("version", "3\n");
    zip.finish();
  }

 private:
  /// Tensors of the same elements share a storage: tied weights stay tied.
  void find_storages() {
    NameMap seen;
    for (const TensorRecord& tensor : tensors_) {
      const auto fresh = static_cast<std::int64_t>(storages_.size());
      std::int64_t storage = fresh;
      if (tensor.numel() > 0 && tensor.contiguous())
        storage = seen.number(text_of({reinterpret_cast<std::uintptr_t>(tensor.data), " ", tensor.numel(), " ",
                                       static_cast<int>(tensor.dtype), int(tensor.byte_swapped), int(tensor.conjugated),
                                       int(tensor.negated)}),
                              fresh);
      if (storage == fresh) storages_.push_back(&tensor);
      storage_of_.push_back(static_cast<std::size_t>(storage));
    }
  }

  void put_state_dict() {
    pickle_.begin_ordered_dict();
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      pickle_.text(utf8(tensors_[i].name));
      put_tensor(tensors_[i], storage_of_[i]);
    }
    pickle_.end_dict();
    if (tensors_.versions().empty()) return;
    pickle_.begin_dict().text("_metadata").begin_ordered_dict();
    for (const ModuleVersion& module : tensors_.versions())
      pickle_.text(utf8(module.module)).begin_dict().text("version").integer(module.version).end_dict();
    pickle_.end_dict().end_dict().set_attributes();
  }

  /// _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks), or _v3 with the dtype behind them for
  /// those that have no storage class of their own.
  void put_tensor(const TensorRecord& tensor, std::size_t storage) {
    const Dtype dtype = written_dtype(tensor.dtype, dtype_);
    std::string_view type;
    for (const auto& [name, stored] : storage_dtypes)
      if (stored == dtype && name != "UntypedStorage") type = name;
    const bool typed = !type.empty();
    const std::int64_t numel = tensor.numel();
    pickle_.global("torch._utils", typed ? "_rebuild_tensor_v2" : "_rebuild_tensor_v3").begin_tuple();
    pickle_.begin_tuple().text("storage");
    typed ? pickle_.global("torch", type) : pickle_.global("torch.storage", "UntypedStorage");
    pickle_.text(std::to_string(storage)).text((Text{} << (tensor.memory ? tensor.memory->device : Device{})).view());
    pickle_.integer(typed ? numel : numel * static_cast<std::int64_t>(item_size(dtype))).end_tuple().persistent();
    pickle_.integer(0).begin_tuple();
    for (const std::int64_t size : tensor.shape) pickle_.integer(size);
    pickle_.end_tuple().begin_tuple();
    for (const std::int64_t stride : contiguous_strides(tensor.shape)) pickle_.integer(stride);
    pickle_.end_tuple().boolean(false).empty_ordered_dict();
    if (!typed) pickle_.global("torch", dtype_name(dtype));
    pickle_.end_tuple().call();
  }

  void put(const Values::Entry& entry) {
    pickle_.text(utf8(entry.name));
    const Value& value = entry.value;
    if (const auto* const boolean = std::get_if<bool>(&value)) pickle_.boolean(*boolean);
    else if (const auto* const integer = std::get_if<std::int64_t>(&value)) pickle_.integer(*integer);
    else if (const auto* const real = std::get_if<double>(&value)) pickle_.real(*real);
    else pickle_.text(utf8(std::get<std::string>(value)));
  }
  std::string_view utf8(std::string_view text) const {
    if (!is_utf8(text))
      refuse(file_.path(), {}, {quoted_name(text), " is not UTF-8, which names and texts in a file are"});
    return text;
  }
};
}  // namespace detail

/// Writes tensors as torch.save writes a state_dict, in order and with the versions of their modules, so that
/// `torch.load(path, weights_only=True)` gives an OrderedDict; with values, a dict with the state_dict under
/// 'state_dict' and the values beside it. Floating-point tensors become `dtype` if that is given. Every tensor is
/// written in C order; equal ones share their storage.
inline void write_torch_file(OutputFile& file, const StateDict& tensors, const std::optional<Dtype>& dtype = {},
                             const Values& values = {}, const Values& structure = {}) {
  detail::TorchWriter(tensors, dtype, file).write(values, structure);
}

}  // namespace lamina::io
