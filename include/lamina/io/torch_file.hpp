/// The weight files that torch.save writes: zip archives of a pickle and the bytes of the tensors.
#pragma once
#include "pickle.hpp"
#include "state_dict.hpp"
#include "zip.hpp"
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lamina::io {

/// A file of torch.save as inert data.
struct TorchFile {
  StateDict tensors;
  /// Everything the pickle says. Its text lies in the file that `tensors` keeps mapped.
  pickle::Graph values;
  /// The saved module, if the file holds one and not only a state_dict: an object whose attributes are `_parameters`,
  /// `_buffers`, `_modules` and those of its class.
  pickle::Id module = pickle::no_value;
};

namespace detail {

/// The dtypes of storage classes.
inline constexpr std::pair<std::string_view, Dtype> storage_dtypes[] = {
    {"FloatStorage", Dtype::float32},
    {"DoubleStorage", Dtype::float64},
    {"HalfStorage", Dtype::float16},
    {"BFloat16Storage", Dtype::bfloat16},
    {"LongStorage", Dtype::int64},
    {"IntStorage", Dtype::int32},
    {"ShortStorage", Dtype::int16},
    {"CharStorage", Dtype::int8},
    {"ByteStorage", Dtype::uint8},
    {"BoolStorage", Dtype::boolean},
    {"ComplexFloatStorage", Dtype::complex64},
    {"ComplexDoubleStorage", Dtype::complex128},
    {"UntypedStorage", Dtype::uint8},
};
/// The dtype of a storage class such as `FloatStorage`; false if there is none of that name.
constexpr bool storage_dtype(std::string_view type, Dtype& dtype) {
  for (const auto& [name, value] : storage_dtypes)
    if (name == type) return dtype = value, true;
  return false;
}

/// Turns the values of a pickle into tensors (torch/_utils.py, torch/serialization.py, torch/nn/modules/module.py).
class TorchReader {
  using Id = pickle::Id;
  using Kind = pickle::Kind;

 public:
  explicit TorchReader(MappedFile file) : zip_(std::move(file)), storages_(zip_.size()), tensors_(zip_.file()) {
    check_version();
    byte_swapped_ = big_endian_file();
    const std::size_t record = zip_.find("data.pkl");
    if (record == ZipArchive::none) zip_.refuse("", "is a zip archive without data.pkl: not written by torch.save");
    graph_ = pickle::Machine(zip_.file().path(), "data.pkl", zip_[record].bytes).run();
  }

  TorchFile read() {
    const Id root = find_weights(graph_.root);
    const Id module = is_module(root) ? root : pickle::no_value;
    if (module == root) add_module(root, "", 0);
    else add_state_dict(root);
    // A wrong tensor elsewhere, in the state of an optimiser say, still means a file that PyTorch does not read.
    for (Id id = 0; id < graph_.values.size(); ++id)
      if (graph_.is(id, Kind::tensor)) read_tensor(id, "");
    return {std::move(tensors_), std::move(graph_), module};
  }

 private:
  struct Storage {
    std::string_view type, bytes;
    Dtype dtype = Dtype::uint8;
    bool known = false;
  };

  ZipArchive zip_;
  pickle::Graph graph_;
  bool byte_swapped_ = false;
  std::vector<Storage> storages_;  // one for each record of the archive
  StateDict tensors_;
  std::uint64_t elements_ = 0, steps_ = 0;

  [[noreturn, gnu::cold, gnu::noinline]] void fail(Message where, Message why) const { zip_.refuse(where, why); }
  [[noreturn, gnu::cold, gnu::noinline]] void fail(Piece where, const char* why) const { zip_.refuse(where, why); }
  std::string_view kind(Id id) const { return id == pickle::no_value ? "missing" : pickle::kind_name(graph_[id].kind); }
  /// Bounds a walk over values that share each other, which can be exponentially longer than the file.
  void spend(std::size_t steps) {
    if ((steps_ += steps) > (std::uint64_t(1) << 23)) fail("data.pkl", "its values refer to each other endlessly");
  }

  // --- the archive
  // ----------------------------------------------------------------------------------------------------
  void check_version() const {
    const std::size_t record = zip_.find("version");
    if (record == ZipArchive::none) fail("", "is a zip archive without a record `version`: not written by torch.save");
    std::string_view text = zip_[record].bytes;
    if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    if (text != "10" && !(text.size() == 1 && text[0] >= '1' && text[0] <= '9'))
      fail({"version"}, {"the version of the file format is ", quoted(text), "; 1 to 10 are read"});
  }
  bool big_endian_file() const {
    const std::size_t record = zip_.find("byteorder");
    if (record == ZipArchive::none || zip_[record].bytes == "little") return false;
    if (zip_[record].bytes != "big")
      fail({"byteorder"}, {"is ", quoted(zip_[record].bytes), ", neither little nor big"});
    return true;
  }

  // --- which values are the weights
  // -----------------------------------------------------------------------------------
  bool is_module(Id id) const {
    return graph_.is(graph_.attribute(id, "_parameters"), Kind::dict) &&
           graph_.is(graph_.attribute(id, "_modules"), Kind::dict);
  }
  bool holds_tensors(Id id) const {
    if (!graph_.is(id, Kind::dict)) return false;
    const std::vector<Id>& items = graph_[id].items;
    for (std::size_t i = 1; i < items.size(); i += 2)
      if (graph_.is(items[i], Kind::tensor)) return true;
    return false;
  }
  /// The state_dict or module in a root that may be a checkpoint with other things beside it.
  Id find_weights(Id root) const {
    if (is_module(root)) return root;
    if (!graph_.is(root, Kind::dict)) {
      if (graph_.is(root, Kind::object))
        fail({"data.pkl"},
             {"holds an object of class ", quoted(graph_[graph_[root].items[0]].name), ", which is no module"});
      fail({"data.pkl"}, {"holds ", kind(root), ", not a state_dict or a module"});
    }
    for (const std::string_view key : {"state_dict", "model_state_dict", "model", "net"}) {
      const Id inner = graph_.find(root, key);
      if (holds_tensors(inner) || is_module(inner)) return inner;
    }
    if (graph_[root].items.empty() || holds_tensors(root)) return root;
    std::string keys;
    for (std::size_t i = 0; i < graph_[root].items.size() && i < 16; i += 2) {
      const Id key = graph_[root].items[i];
      keys += text_of({i == 0 ? "" : ", ", graph_.is(key, Kind::text) ? quoted(graph_[key].text) : Piece(kind(key))});
    }
    fail({"data.pkl"},
         {"holds no tensors by name, neither itself nor under state_dict, model_state_dict, model or net; its keys: ",
          keys});
  }

  void add_state_dict(Id dict) {
    const pickle::Value& value = graph_[dict];
    for (std::size_t i = 0; i < value.items.size(); i += 2) {
      if (!graph_.is(value.items[i + 1], Kind::tensor)) continue;
      if (!graph_.is(value.items[i], Kind::text))
        fail({"data.pkl"}, {"the name of a tensor is ", kind(value.items[i])});
      add_tensor(value.items[i + 1], graph_[value.items[i]].text);
    }
    const Id metadata = graph_.find(value.state, "_metadata");
    if (!graph_.is(metadata, Kind::dict)) return;
    const std::vector<Id>& items = graph_[metadata].items;
    for (std::size_t i = 0; i < items.size(); i += 2) {
      const Id version = graph_.find(items[i + 1], "version");
      if (graph_.is(items[i + 1], Kind::dict)) spend(graph_[items[i + 1]].items.size());
      if (graph_.is(items[i], Kind::text) && graph_.is(version, Kind::integer))
        tensors_.set_version(graph_[items[i]].text, graph_[version].integer);
    }
  }

  [[noreturn, gnu::cold, gnu::noinline]] void fail_module(std::string_view prefix, Message why) const {
    if (prefix.empty()) fail({"the module"}, why);
    fail({"module ", quoted(prefix.substr(0, prefix.size() - 1))}, why);
  }

  // state_dict() of a module: its own parameters, its own persistent buffers, then each child.
  [[gnu::cold]] void add_module(Id module, const std::string& prefix, int depth) {
    if (depth > 100) fail_module(prefix, {"modules are nested more than 100 levels deep"});
    if (!is_module(module)) fail_module(prefix, {"is ", kind(module), ", not a module"});
    spend(graph_[graph_[module].state].items.size());
    const Id transient = graph_.attribute(module, "_non_persistent_buffers_set");
    add_own(graph_.attribute(module, "_parameters"), pickle::no_value, prefix);
    add_own(graph_.attribute(module, "_buffers"), transient, prefix);
    const std::vector<Id>& children = graph_[graph_.attribute(module, "_modules")].items;
    spend(children.size());
    for (std::size_t i = 0; i < children.size(); i += 2) {
      if (graph_.is(children[i + 1], Kind::none)) continue;
      if (!graph_.is(children[i], Kind::text)) fail_module(prefix, {"the name of a child is ", kind(children[i])});
      const std::string_view name = graph_[children[i]].text;
      spend((prefix.size() + name.size()) / 8);  // shared children can spell out exponentially many paths
      add_module(children[i + 1], text_of({prefix, name, "."}), depth + 1);
    }
  }
  [[gnu::cold]] void add_own(Id dict, Id left_out, const std::string& prefix) {
    if (!graph_.is(dict, Kind::dict)) {
      if (dict == pickle::no_value) return;
      fail_module(prefix, {"its parameters or buffers are ", kind(dict), ", not a dict"});
    }
    const std::vector<Id>& items = graph_[dict].items;
    spend(items.size());
    for (std::size_t i = 0; i < items.size(); i += 2) {
      const Id key = items[i], tensor = items[i + 1];
      if (!graph_.is(key, Kind::text)) fail_module(prefix, {"the name of a tensor is ", kind(key)});
      if (graph_.is(tensor, Kind::none) || contains(left_out, graph_[key].text)) continue;
      if (!graph_.is(tensor, Kind::tensor))
        fail_module(prefix, {quoted(graph_[key].text), " is ", kind(tensor), ", not a tensor"});
      add_tensor(tensor, text_of({prefix, graph_[key].text}));
    }
  }
  bool contains(Id set, std::string_view text) {
    if (!graph_.is(set, Kind::set)) return false;
    spend(graph_[set].items.size());
    for (const Id item : graph_[set].items)
      if (graph_.is_text(item, text)) return true;
    return false;
  }

  [[gnu::cold]] void add_tensor(Id id, std::string_view name) {
    spend(8 + name.size() / 8);
    TensorRecord tensor = read_tensor(id, name);
    // A stride of 0 lets a few bytes claim any number of elements.
    const std::uint64_t most = std::uint64_t(1 << 20) + 64 * std::uint64_t(zip_.file().bytes().size());
    elements_ += static_cast<std::uint64_t>(tensor.numel()) * item_size(tensor.dtype);
    if (elements_ > most)
      fail({"tensor ", quoted(name)}, {"the tensors would take far more memory than the file holds"});
    tensor.name = name;
    tensors_.add(std::move(tensor));
  }

  // --- tensors
  // --------------------------------------------------------------------------------------------------------
  [[gnu::cold]] std::string shown(Id id, std::string_view name) const {
    return name.empty() ? text_of({"tensor at byte ", graph_[id].offset, " of data.pkl"})
                        : text_of({"tensor ", quoted(name)});
  }
  [[noreturn, gnu::cold, gnu::noinline]] void fail_tensor(Id id, std::string_view name, Message why) const {
    fail({shown(id, name)}, why);
  }

  [[gnu::cold]] TensorRecord read_tensor(Id id, std::string_view name) {
    const std::vector<Id>& arguments = graph_[id].items;
    const bool typed = graph_[id].name == "_rebuild_tensor_v3", oldest = graph_[id].name == "_rebuild_tensor";
    const std::size_t fewest = oldest ? 4 : typed ? 7 : 6, most = oldest ? 4 : fewest + 1;
    if (arguments.size() < fewest || arguments.size() > most)
      fail_tensor(id, name, {"is made from ", arguments.size(), " arguments; it takes ", fewest});
    const Storage& storage = read_storage(id, name, arguments[0]);
    TensorRecord tensor;
    tensor.dtype = typed ? dtype_argument(id, name, arguments[6]) : storage.dtype;
    tensor.byte_swapped = byte_swapped_;
    const std::int64_t offset = extent(id, name, arguments[1]);
    tensor.shape = extents(id, name, arguments[2]);
    tensor.strides = extents(id, name, arguments[3]);
    if (arguments.size() == most && !oldest) read_notes(id, name, arguments[most - 1], tensor);
    const std::size_t item = item_size(tensor.dtype);
    const std::int64_t first =
        check_bounds(id, name, tensor, offset, static_cast<std::int64_t>(storage.bytes.size() / item));
    tensor.data = reinterpret_cast<const std::byte*>(storage.bytes.data()) + first * static_cast<std::int64_t>(item);
    return tensor;
  }

  /// The first element, if all elements lie in a storage of that many; 0 for a tensor without elements.
  [[gnu::cold]] std::int64_t check_bounds(Id id, std::string_view name, const TensorRecord& tensor, std::int64_t offset,
                                          std::int64_t stored) const {
    if (tensor.shape.size() != tensor.strides.size())
      fail_tensor(id, name, {"has ", tensor.shape.size(), " sizes and ", tensor.strides.size(), " strides"});
    for (const std::int64_t size : tensor.shape)
      if (size == 0) return 0;
    std::int64_t count = static_cast<std::int64_t>(item_size(tensor.dtype)), last = offset;
    bool overflow = false;
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
      std::int64_t reach = 0;
      overflow |= __builtin_mul_overflow(count, tensor.shape[i], &count);
      overflow |= __builtin_mul_overflow(tensor.shape[i] - 1, tensor.strides[i], &reach);
      overflow |= __builtin_add_overflow(last, reach, &last);
    }
    if (overflow) fail_tensor(id, name, {"its sizes and strides are beyond 64 bits"});
    if (last >= stored) fail_tensor(id, name, {"reaches element ", last, " of a storage of ", stored, " elements"});
    return offset;
  }

  /// ('storage', class, key, location, number of elements)
  [[gnu::cold]] const Storage& read_storage(Id id, std::string_view name, Id reference) {
    if (!graph_.is(reference, Kind::persistent)) fail_tensor(id, name, {"its storage is ", kind(reference)});
    const Id tuple = graph_[reference].items[0];
    const bool whole = graph_.is(tuple, Kind::tuple) && graph_[tuple].items.size() == 5;
    const std::vector<Id>& parts = graph_[tuple].items;
    if (!whole || !graph_.is_text(parts[0], "storage") || !graph_.is(parts[1], Kind::global) ||
        !graph_.is(parts[2], Kind::text) || !graph_.is(parts[4], Kind::integer))
      fail_tensor(id, name, {"its storage is not described as ('storage', class, key, location, size)"});
    const std::string_view key = graph_[parts[2]].text, module = graph_[parts[1]].text, type = graph_[parts[1]].name;
    const std::string record_name = text_of({"data/", key});
    const std::size_t record = key.find('/') == key.npos ? zip_.find(record_name) : ZipArchive::none;
    if (record == ZipArchive::none)
      fail({printable(record_name)}, {"there is no such record; the ", shown(id, name), " needs it"});
    Storage found{type, zip_[record].bytes, Dtype::uint8, true};
    const bool untyped = type == "UntypedStorage";
    if ((untyped ? module != "torch.storage" : module != "torch" && module != "torch.cuda") ||
        !storage_dtype(type, found.dtype))
      fail({printable(record_name)},
           {"the class of the storage is ", "\"", printable(module), ".", printable(type), "\", which is not read"});
    std::uint64_t needed = 0;
    if (graph_[parts[4]].integer < 0 ||
        __builtin_mul_overflow(static_cast<std::uint64_t>(graph_[parts[4]].integer), item_size(found.dtype), &needed))
      fail({printable(record_name)},
           {"the storage of the ", shown(id, name), " claims ", graph_[parts[4]].integer, " elements"});
    if (needed != found.bytes.size())
      fail({printable(record_name)},
           {"the record holds ", found.bytes.size(), " bytes but the ", shown(id, name), " needs ", needed});
    Storage& seen = storages_[record];
    if (seen.known && seen.type != found.type && needed > 0)
      fail({printable(record_name)},
           {"is a ", printable(seen.type), " for one tensor and a ", printable(found.type), " for another"});
    return seen = found;
  }

  [[gnu::cold]] Dtype dtype_argument(Id id, std::string_view name, Id argument) const {
    if (!graph_.is(argument, Kind::global) || graph_[argument].text != "torch")
      fail_tensor(id, name, {"its dtype is ", kind(argument)});
    for (int i = 0; i <= static_cast<int>(Dtype::complex128); ++i)
      if (dtype_name(static_cast<Dtype>(i)) == graph_[argument].name) return static_cast<Dtype>(i);
    fail_tensor(id, name, {"has the dtype ", quoted(graph_[argument].name), ", which is not read"});
  }

  std::int64_t extent(Id id, std::string_view name, Id number) const {
    if (!graph_.is(number, Kind::integer)) {
      const bool large = graph_.is(number, Kind::long_integer);
      fail_tensor(id, name, {"a size, stride or offset is ", large ? "beyond 64 bits" : kind(number)});
    }
    if (graph_[number].integer < 0) fail_tensor(id, name, {"a size, stride or offset is ", graph_[number].integer});
    return graph_[number].integer;
  }
  [[gnu::cold]] std::vector<std::int64_t> extents(Id id, std::string_view name, Id tuple) const {
    if (!graph_.is(tuple, Kind::tuple)) fail_tensor(id, name, {"its sizes or strides are ", kind(tuple)});
    const std::size_t rank = graph_[tuple].items.size();
    if (rank > 64) fail_tensor(id, name, {"has ", rank, " dimensions; 64 are the limit"});
    std::vector<std::int64_t> result;
    result.reserve(rank);
    for (const Id number : graph_[tuple].items) result.push_back(extent(id, name, number));
    return result;
  }
  /// {'conj': True, 'neg': True}: what a view still has to do to the stored elements.
  [[gnu::cold]] void read_notes(Id id, std::string_view name, Id notes, TensorRecord& tensor) {
    if (graph_.is(notes, Kind::none)) return;
    if (!graph_.is(notes, Kind::dict)) fail_tensor(id, name, {"its metadata is ", kind(notes)});
    spend(graph_[notes].items.size());
    const auto set = [&](std::string_view key) {
      const Id note = graph_.find(notes, key);
      return graph_.is(note, Kind::boolean) && graph_[note].integer != 0;
    };
    tensor.conjugated = set("conj");
    tensor.negated = set("neg");
  }
};

}  // namespace detail

/// Reads a file of torch.save in its zip format: a state_dict, a checkpoint that holds one under `state_dict`,
/// `model_state_dict`, `model` or `net`, or a whole module, whose tensors get the names of its state_dict. Nothing in
/// the file is run. Throws checkpoint_error.
inline TorchFile read_torch_file(MappedFile file) { return detail::TorchReader(std::move(file)).read(); }

}  // namespace lamina::io
