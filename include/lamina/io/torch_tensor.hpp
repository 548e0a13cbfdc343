/// Tensors in the values of a pickle of torch.save.
#pragma once
#include "state_dict.hpp"
#include "torch_source.hpp"
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lamina::io::detail {

/// Turns the calls that make tensors (torch/_utils.py) into records, and bounds what a walk over the values takes.
class TorchTensors {
 protected:
  using Id = pickle::Id;
  using Kind = pickle::Kind;

  /// The source must live as long as this object.
  explicit TorchTensors(const TorchSource& source) : source_(source), graph_(source.graph) {}

  const TorchSource& source_;
  const pickle::Graph& graph_;
  std::uint64_t steps_ = 0;

  std::string_view kind(Id id) const { return source_.kind(id); }
  [[gnu::cold]] bool is_module(Id id) const {
    return graph_.is(graph_.attribute(id, "_parameters"), Kind::dict) &&
           graph_.is(graph_.attribute(id, "_modules"), Kind::dict);
  }
  [[noreturn, gnu::cold, gnu::noinline]] void fail_module(std::string_view prefix, Message why) const {
    if (prefix.empty()) source_.fail({"the module"}, why);
    source_.fail({"module ", quoted_name(prefix.substr(0, prefix.size() - 1))}, why);
  }
  /// Bounds a walk over values that share each other, which can be exponentially longer than the file.
  [[gnu::cold]] void spend(std::size_t steps) {
    if ((steps_ += steps) > (std::uint64_t(1) << 23))
      source_.fail(source_.pickle_name(), "its values refer to each other endlessly");
  }

  [[gnu::cold]] bool contains(Id set, std::string_view text) {
    if (!graph_.is(set, Kind::set)) return false;
    spend(graph_[set].items.size());
    for (const Id item : graph_[set].items)
      if (graph_.is_text(item, text)) return true;
    return false;
  }

  [[gnu::cold]] std::string shown(Id id, std::string_view name) const {
    return name.empty() ? text_of({"tensor at byte ", graph_[id].offset, " of ", source_.pickle_name()})
                        : text_of({"tensor ", quoted_name(name)});
  }
  [[noreturn, gnu::cold, gnu::noinline]] void fail_tensor(Id id, std::string_view name, Message why) const {
    source_.fail({shown(id, name)}, why);
  }

  [[gnu::cold]] TensorRecord read_tensor(Id id, std::string_view name) {
    const pickle::Ids& arguments = graph_[id].items;
    const bool typed = graph_[id].name == "_rebuild_tensor_v3", oldest = graph_[id].name == "_rebuild_tensor";
    const std::size_t fewest = oldest ? 4 : typed ? 7 : 6, most = oldest ? 4 : fewest + 1;
    if (arguments.size() < fewest || arguments.size() > most)
      fail_tensor(id, name, {"is made from ", arguments.size(), " arguments; it takes ", fewest});
    if (!graph_.is(arguments[0], Kind::persistent)) fail_tensor(id, name, {"its storage is ", kind(arguments[0])});
    const StorageId storage = source_.storage_id(arguments[0]);
    const std::string_view bytes = source_.storage(storage);
    TensorRecord tensor;
    tensor.dtype = typed ? dtype_argument(id, name, arguments[6]) : storage.dtype;
    tensor.byte_swapped = source_.byte_swapped;
    const std::int64_t offset = extent(id, name, arguments[1]);
    tensor.shape = extents(id, name, arguments[2]);
    tensor.strides = extents(id, name, arguments[3]);
    if (arguments.size() == most && !oldest) read_notes(id, name, arguments[most - 1], tensor);
    const std::size_t item = item_size(tensor.dtype);
    const std::int64_t first = check_bounds(id, name, tensor, offset, static_cast<std::int64_t>(bytes.size() / item));
    tensor.data = reinterpret_cast<const std::byte*>(bytes.data()) + first * static_cast<std::int64_t>(item);
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

  [[gnu::cold]] Dtype dtype_argument(Id id, std::string_view name, Id argument) const {
    if (!graph_.is(argument, Kind::global) || graph_[argument].text != "torch")
      fail_tensor(id, name, {"its dtype is ", kind(argument)});
    for (int i = 0; i < dtype_count; ++i)
      if (dtype_name(static_cast<Dtype>(i)) == graph_[argument].name) return static_cast<Dtype>(i);
    fail_tensor(id, name, {"has the dtype ", quoted_name(graph_[argument].name), ", which is not read"});
  }

  [[gnu::cold]] std::int64_t extent(Id id, std::string_view name, Id number) const {
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
    if (tensor.negated && tensor.dtype >= Dtype::float8_e4m3fn)
      fail_tensor(id, name, {"is a negated view of ", dtype_name(tensor.dtype), ", which is not read"});
  }
};

}  // namespace lamina::io::detail
