/// What torch.save wrote, whatever the container: the values of the pickle, and the bytes of the storages they refer
/// to.
#pragma once
#include "../core/dtype.hpp"
#include "../core/list.hpp"
#include "mapped_file.hpp"
#include "name_map.hpp"
#include "pickle_value.hpp"
#include "refuse.hpp"
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace lamina::io {

/// The dtypes of storage classes. UntypedStorage counts bytes.
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

/// What the pickle says of a storage: ('storage', class, key, location, number of elements), and in the old format None
/// or (view key, offset, size) behind it: a part of the storage, in elements. The location is only a hint.
struct StorageId {
  std::string_view key, type;
  Dtype dtype = Dtype::uint8;
  std::uint64_t bytes = 0;             ///< of the whole storage
  std::uint64_t first = 0, count = 0;  ///< bytes of the part
};

/// The content of a file of torch.save. Its text and bytes lie in the mapped file.
class TorchSource {
  using Id = pickle::Id;
  using Kind = pickle::Kind;

 public:
  /// Of a zip file, or of a file in the old format.
  TorchSource(MappedFile mapped, bool legacy) : file(std::move(mapped)), legacy_(legacy) {}

  MappedFile file;
  pickle::Graph graph;
  bool byte_swapped = false;  ///< the file is big-endian

  /// What errors call the pickle.
  std::string_view pickle_name() const { return legacy_ ? "the pickle" : "data.pkl"; }

  [[noreturn, gnu::cold, gnu::noinline]] void fail(Message where, Message why) const {
    refuse(file.path(), where, why);
  }
  [[noreturn, gnu::cold, gnu::noinline]] void fail(Piece where, const char* why) const {
    refuse(file.path(), where, why);
  }
  /// The kind of a value in words.
  std::string_view kind(Id id) const { return id == pickle::no_value ? "missing" : pickle::kind_name(graph[id].kind); }

  /// Adds the bytes of a storage; false if that key has some already.
  [[gnu::noinline, gnu::cold]] bool add_storage(std::string_view key, std::string_view bytes) {
    const auto index = std::int64_t(storages_.size());
    if (by_key_.number(key, index) != index) return false;
    storages_.push_back({bytes, {}});
    return true;
  }

  /// Reads what a persistent id says. Throws checkpoint_error.
  [[gnu::cold]] StorageId storage_id(Id reference) const {
    const Id tuple = graph[reference].items[0];
    const pickle::Ids& parts = graph[tuple].items;
    const bool whole = graph.is(tuple, Kind::tuple) && parts.size() == (legacy_ ? 6 : 5);
    if (!whole || !graph.is_text(parts[0], "storage") || !graph.is(parts[1], Kind::global) ||
        !graph.is(parts[2], Kind::text) || !graph.is(parts[4], Kind::integer))
      fail_reference(reference, {"is not described as ('storage', class, key, location, size)"});
    StorageId id{graph[parts[2]].text, graph[parts[1]].name};
    const std::string_view module = graph[parts[1]].text;
    const bool known_module =
        id.type == "UntypedStorage" ? module == "torch.storage" : module == "torch" || module == "torch.cuda";
    if (!known_module || !find_dtype(id.type, id.dtype))
      fail_storage(id.key, {"the class of the storage is \"", printable(module), ".", printable(id.type),
                            "\", which is not read"});
    const std::size_t item = item_size(id.dtype);
    const std::int64_t numel = graph[parts[4]].integer;
    if (numel < 0 || __builtin_mul_overflow(static_cast<std::uint64_t>(numel), item, &id.bytes))
      fail_storage(id.key, {"the storage claims ", numel, " elements"});
    id.count = id.bytes;
    if (legacy_ && !graph.is(parts[5], Kind::none)) read_part(reference, parts[5], numel, id);
    return id;
  }

  /// Refuses the file unless every persistent id refers to a storage of its size, and all ids of one key agree.
  [[gnu::cold]] void check_storages() {
    for (Id reference = 0; reference < graph.values.size(); ++reference) {
      if (!graph.is(reference, Kind::persistent)) continue;
      const StorageId id = storage_id(reference);
      const std::int64_t* const index = by_key_.find(id.key);
      if (!index) fail_storage(id.key, {"there is no such record; a ", id.type, " of the pickle refers to it"});
      Storage& found = storages_[std::size_t(*index)];
      if (id.bytes != found.bytes.size())
        fail_storage(id.key, {"the record holds ", found.bytes.size(), " bytes and a ", id.type,
                              " of the pickle needs ", id.bytes});
      if (!found.type.empty() && found.type != id.type && id.bytes > 0)
        fail_storage(id.key, {"is a ", found.type, " for one tensor and a ", id.type, " for another"});
      found.type = id.type;
    }
  }

  /// The bytes that a checked id stands for.
  [[gnu::cold]] std::string_view storage(const StorageId& id) const {
    return storages_[std::size_t(*by_key_.find(id.key))].bytes.substr(id.first, id.count);
  }

  [[noreturn, gnu::cold, gnu::noinline]] void fail_storage(std::string_view key, Message why) const {
    fail({legacy_ ? "storage " : "data/", printable(key)}, why);
  }

 private:
  struct Storage {
    std::string_view bytes, type;  // the class is known once a tensor has named it
  };
  bool legacy_;
  lamina::detail::List<Storage> storages_;
  NameMap by_key_;

  [[gnu::cold]] static bool find_dtype(std::string_view type, Dtype& dtype) {
    for (const auto& [name, value] : storage_dtypes)
      if (name == type) return dtype = value, true;
    return false;
  }
  [[noreturn, gnu::cold, gnu::noinline]] void fail_reference(Id reference, Message why) const {
    fail({"storage at byte ", graph[reference].offset, " of ", pickle_name()}, why);
  }
  [[gnu::cold]] void read_part(Id reference, Id view, std::int64_t numel, StorageId& id) const {
    const pickle::Ids& parts = graph[view].items;
    if (!graph.is(view, Kind::tuple) || parts.size() != 3 || !graph.is(parts[1], Kind::integer) ||
        !graph.is(parts[2], Kind::integer))
      fail_reference(reference, {"its view is not described as (key, offset, size)"});
    const std::int64_t first = graph[parts[1]].integer, count = graph[parts[2]].integer;
    if (first < 0 || count < 0 || first > numel || count > numel - first)
      fail_storage(id.key, {"a view of ", count, " elements from ", first, " reaches outside of its ", numel});
    id.first = static_cast<std::uint64_t>(first) * item_size(id.dtype);
    id.count = static_cast<std::uint64_t>(count) * item_size(id.dtype);
  }
};

}  // namespace lamina::io
