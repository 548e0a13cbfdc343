/// The tensors of a weight file by name.
#pragma once
#include "../core/dtype.hpp"
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

/// A tensor of a weight file: where its elements lie in the mapped file. A reader has checked that every element that
/// shape and strides reach lies inside the file. Read the elements with copy_elements.
struct TensorRecord {
  std::string name;
  Dtype dtype = Dtype::float32;
  std::vector<std::int64_t> shape;    ///< empty for a tensor without dimensions, which has one element
  std::vector<std::int64_t> strides;  ///< in elements, one for each dimension, never negative; 0 repeats an element
  const std::byte* data = nullptr;    ///< the first element; not aligned
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
  void set_version(std::string_view module, std::int64_t version) { versions_.number(module, version) = version; }

  /// The file, as its path was given.
  std::string_view path() const { return files_.empty() ? std::string_view() : files_[0].path(); }

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

  /// The version of the module at that path, if the file tells it: 2 for BatchNorm layers that count batches, else 1.
  std::optional<std::int64_t> version(std::string_view module) const {
    const std::int64_t* const version = versions_.find(module);
    return version ? std::optional(*version) : std::nullopt;
  }

 private:
  std::vector<MappedFile> files_;
  std::vector<TensorRecord> entries_;
  NameMap by_name_, versions_;
};

}  // namespace lamina::io
