/// The tensors of a weight file by name.
#pragma once
#include "../core/dtype.hpp"
#include "../core/list.hpp"
#include "../tensor/device_memory.hpp"
#include "mapped_file.hpp"
#include "name_map.hpp"
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lamina::io {

/// The strides of a shape in C order. An extent of 0 counts as 1, as in PyTorch.
inline std::vector<std::int64_t> contiguous_strides(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i] > 0 ? shape[i] : 1;
  }
  return strides;
}

/// A tensor of a weight file or of a model: where its elements lie in the mapped file, or in memory. A reader has
/// checked that every element that shape and strides reach lies inside the file. Read the elements with copy_elements.
struct TensorRecord {
  std::string name;
  Dtype dtype = Dtype::float32;
  std::vector<std::int64_t> shape;    ///< empty for a tensor without dimensions, which has one element
  std::vector<std::int64_t> strides;  ///< in elements, one for each dimension, never negative; 0 repeats an element
  const std::byte* data = nullptr;    ///< the first element; not aligned
  DeviceMemory* memory = nullptr;     ///< of the device whose address `data` is, in C order; null for the host's
  bool byte_swapped = false;          ///< the file is big-endian
  bool conjugated = false;            ///< the imaginary parts still have to be negated
  bool negated = false;               ///< the elements still have to be negated

  /// The number of elements.
  std::int64_t numel() const {
    std::int64_t count = 1;
    for (const std::int64_t size : shape) count *= size;
    return count;
  }

  /// Whether the elements lie one after another in C order.
  bool contiguous() const {
    std::int64_t expected = 1;
    for (std::size_t i = shape.size(); i-- > 0;) {
      if (shape[i] == 0) return true;
      if (shape[i] != 1 && strides[i] != expected) return false;
      expected *= shape[i];
    }
    return true;
  }
};

/// The version that a module says of itself: 2 for a batch norm that counts batches, 1 for nearly all others.
struct ModuleVersion {
  std::string module;  ///< its path; empty for the root
  std::int64_t version = 1;
};

/// The named tensors of a weight file in the order of the file (PyTorch's `state_dict`). It keeps the file mapped;
/// copies share the mapping. Entries that are no tensors (PyTorch allows them) are left out.
class StateDict {
 public:
  StateDict() = default;
  explicit StateDict(MappedFile file) { keep(std::move(file)); }

  /// Keeps a file mapped as long as the tensors; the first one is the one that path() names.
  void keep(MappedFile file) { files_.push_back(std::move(file)); }
  /// Keeps all files of another one.
  void keep(const StateDict& other) {
    for (const MappedFile& file : other.files_) keep(file);
  }

  /// Adds a tensor at the end. One of the same name is replaced in its place, as in a Python dict.
  void add(TensorRecord tensor) {
    const auto index = std::size_t(by_name_.number(tensor.name, std::int64_t(entries_.size())));
    if (index == entries_.size()) entries_.push_back(std::move(tensor));
    else entries_[index] = std::move(tensor);
  }
  /// Notes the version of the module at that path, which PyTorch saves beside the tensors (`_metadata`); "" is the
  /// root.
  void set_version(std::string_view module, std::int64_t version) {
    const auto index = std::size_t(version_of_.number(module, std::int64_t(versions_.size())));
    if (index == versions_.size()) versions_.push_back({std::string(module), version});
    else versions_[index].version = version;
  }
  /// An empty state_dict that keeps the same files.
  StateDict emptied() const {
    StateDict other;
    other.keep(*this);
    return other;
  }

  /// The file, as its path was given.
  std::string_view path() const { return files_.empty() ? std::string_view() : files_[0].path(); }

  /// Whether a byte is one of the files', and not of other memory.
  bool maps(const std::byte* data) const {
    for (const MappedFile& file : files_) {
      const auto* const begin = reinterpret_cast<const std::byte*>(file.bytes().data());
      if (data >= begin && data <= begin + file.bytes().size()) return true;
    }
    return false;
  }

  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }
  const TensorRecord& operator[](std::size_t index) const { return entries_[index]; }

  /// The tensor of that name, or nullptr.
  const TensorRecord* find(std::string_view name) const {
    const std::int64_t* const index = by_name_.find(name);
    return index ? &entries_[std::size_t(*index)] : nullptr;
  }

  /// The version of the module at that path, if the file tells it.
  std::optional<std::int64_t> version(std::string_view module) const {
    const std::int64_t* const index = version_of_.find(module);
    return index ? std::optional(versions_[std::size_t(*index)].version) : std::nullopt;
  }
  /// The versions of all modules in the order of the file.
  const lamina::detail::List<ModuleVersion>& versions() const { return versions_; }

 private:
  lamina::detail::List<MappedFile> files_;
  lamina::detail::List<TensorRecord> entries_;
  lamina::detail::List<ModuleVersion> versions_;
  NameMap by_name_, version_of_;
};

}  // namespace lamina::io
