/// Weights in several files, and the index that says which tensor is in which.
#pragma once
#include "../core/list.hpp"
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
      else read_map(json);
    }
    json.end();
    if (!found) refuse(index_.path(), "", "is JSON without a weight_map: no index of weights in several files");
    const std::string_view folder = index_.path().substr(0, index_.path().rfind('/') + 1);
    for (std::size_t file = 0; file < files_.size(); ++file)
      add(read(MappedFile(text_of({folder, files_[file]}))), file);
    return std::move(tensors_);
  }

 private:
  MappedFile index_;
  StateDict tensors_;                 // without content until their file is read
  std::vector<std::string> files_;    // in the order of the index
  lamina::detail::List<std::size_t> file_of_;  // for each tensor
  NameMap number_of_file_;

  [[gnu::cold]] void read_map(JsonReader& json) {
    for (bool more = json.first('{', '}'); more; more = json.another('}')) {
      TensorRecord tensor;
      tensor.name = json.key();
      std::string file = json.string();
      if (tensors_.find(tensor.name)) json.fail({"two tensors of the name ", quoted_name(tensor.name)});
      // A name, and no way out of the folder.
      if (file.empty() || file == ".." || file == "." || file.find_first_of(std::string_view("/\\\0", 3)) != file.npos)
        json.fail({quoted_name(file), " is not the name of a file beside the index"});
      const auto number = std::size_t(number_of_file_.number(file, std::int64_t(files_.size())));
      if (number == files_.size()) files_.push_back(std::move(file));
      file_of_.push_back(number);
      tensors_.add(std::move(tensor));
    }
  }

  /// Fills in the tensors of one file. Those that the index names and those that the file holds are the same.
  [[gnu::cold]] void add(const StateDict& content, std::size_t file) {
    tensors_.keep(content);
    for (std::size_t i = 0; i < file_of_.size(); ++i)
      if (file_of_[i] == file && !content.find(tensors_[i].name))
        refuse(index_.path(), {"tensor ", quoted_name(tensors_[i].name)}, {"is not in ", quoted_name(files_[file])});
    for (const TensorRecord& tensor : content) {
      const TensorRecord* const place = tensors_.find(tensor.name);
      if (!place || file_of_[std::size_t(place - &tensors_[0])] != file)
        refuse(content.path(), {"tensor ", quoted_name(tensor.name)}, {"the index does not name it"});
      tensors_.add(tensor);
    }
  }
};

}  // namespace detail

/// Reads the weights that an index lists, in the order of the index. Every tensor of its files must be listed, and
/// every listed one be there. Throws checkpoint_error.
[[gnu::cold]] inline StateDict read_sharded(MappedFile index, StateDict (*read)(MappedFile)) {
  return detail::ShardReader(std::move(index)).read(read);
}

}  // namespace lamina::io
