/// Weights in several files, and the index that says which tensor is in which.
#pragma once
#include "json.hpp"
#include "mapped_file.hpp"
#include "name_map.hpp"
#include "state_dict.hpp"
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lamina::io {

namespace detail {

/// Reads `model.safetensors.index.json` (huggingface_hub, serialization/_base.py): {"metadata": .., "weight_map":
/// {"name": "model-00001-of-00002.safetensors", ..}}. The files lie beside the index.
class ShardReader {
 public:
  explicit ShardReader(MappedFile index) : index_(std::move(index)), tensors_(index_) {}

  /// `read` gives the tensors of one file.
  [[gnu::cold]] StateDict read(StateDict (*read)(MappedFile)) {
    JsonReader json(index_.path(), index_.bytes(), 0);
    bool found = false;
    for (bool more = json.first('{', '}'); more; more = json.another('}')) {
      if (json.key() != "weight_map") json.skip_value();
      else if (std::exchange(found, true)) json.fail("there are two weight_maps");
      else read_map(json, read);
    }
    json.end();
    if (!found) refuse(index_.path(), "", "is JSON without a weight_map: no index of weights in several files");
    check_complete();
    return std::move(tensors_);
  }

 private:
  struct Shard {
    StateDict tensors;
    std::size_t used = 0;
  };
  MappedFile index_;
  StateDict tensors_;
  std::vector<Shard> shards_;
  NameMap by_file_;

  [[gnu::cold]] void read_map(JsonReader& json, StateDict (*read)(MappedFile)) {
    for (bool more = json.first('{', '}'); more; more = json.another('}')) {
      const std::string name = json.key(), file = json.string();
      if (tensors_.find(name)) json.fail({"two tensors of the name ", quoted_name(name)});
      const auto number = std::size_t(by_file_.number(file, std::int64_t(shards_.size())));
      if (number == shards_.size()) open(json, file, read);
      const TensorRecord* const tensor = shards_[number].tensors.find(name);
      if (!tensor) json.fail({"tensor ", quoted_name(name), " is not in ", quoted_name(file)});
      ++shards_[number].used;
      tensors_.add(*tensor);
    }
  }
  [[gnu::cold]] void open(JsonReader& json, std::string_view file, StateDict (*read)(MappedFile)) {
    // A name, and no way out of the folder.
    if (file.empty() || file == ".." || file == "." || file.find_first_of(std::string_view("/\\\0", 3)) != file.npos)
      json.fail({quoted_name(file), " is not the name of a file beside the index"});
    const std::string_view path = index_.path();
    shards_.push_back({read(MappedFile(text_of({path.substr(0, path.rfind('/') + 1), file})))});
    tensors_.keep(shards_.back().tensors);
  }
  [[gnu::cold]] void check_complete() const {
    for (const Shard& shard : shards_) {
      if (shard.used == shard.tensors.size()) continue;
      for (const TensorRecord& tensor : shard.tensors)
        if (!tensors_.find(tensor.name))
          refuse(shard.tensors.path(), {"tensor ", quoted_name(tensor.name)}, {"the index does not name it"});
    }
  }
};

}  // namespace detail

/// Reads the weights that an index lists, in the order of the index. Every tensor of its files must be listed, and
/// every listed one be there. Throws checkpoint_error.
inline StateDict read_sharded(MappedFile index, StateDict (*read)(MappedFile)) {
  return detail::ShardReader(std::move(index)).read(read);
}

}  // namespace lamina::io
