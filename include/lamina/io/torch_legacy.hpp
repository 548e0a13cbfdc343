/// The files of torch.save before PyTorch 1.6, and of `_use_new_zipfile_serialization=False` since.
#pragma once
#include "../core/list.hpp"
#include "bytes.hpp"
#include "pickle.hpp"
#include "torch_source.hpp"
#include <cstdint>
#include <string_view>
#include <utility>

namespace lamina::io {

namespace detail {

/// Five pickles in a row (a magic number, the version of the protocol, what machine wrote it, the object, the keys of
/// the storages), then for each key its number of elements, 8 bytes, and its elements. Always little-endian
/// (torch/serialization.py, _legacy_save and _legacy_load).
class LegacyReader {
  using Id = pickle::Id;
  using Kind = pickle::Kind;

 public:
  explicit LegacyReader(TorchSource& source) : source_(source) {}

  [[gnu::cold]] void read() {
    constexpr std::string_view magic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
    constexpr std::int64_t protocol = 1001;
    const pickle::Graph first = next_pickle();
    if (!first.is(first.root, Kind::long_integer) || first[first.root].text != magic)
      source_.fail("", "is a Python pickle that torch.save did not write; it is not read");
    const pickle::Graph version = next_pickle();
    if (!version.is(version.root, Kind::integer) || version[version.root].integer != protocol)
      source_.fail("the second pickle", "is not the version of the format, 1001");
    const pickle::Graph machine = next_pickle();
    if (!machine.is(machine.root, Kind::dict))
      source_.fail("the third pickle", "does not describe the machine that wrote the file");
    source_.graph = next_pickle();
    read_storages(next_pickle());
    source_.check_storages();
  }

 private:
  TorchSource& source_;
  std::size_t at_ = 0;

  [[gnu::cold]] pickle::Graph next_pickle() {
    const std::string_view bytes = source_.file.bytes().substr(0, pickle::max_bytes);
    pickle::Machine machine(source_.file.path(), source_.pickle_name(), bytes, at_);
    pickle::Graph graph = machine.run();
    at_ = machine.end();
    return graph;
  }

  [[gnu::cold]] void read_storages(const pickle::Graph& keys) {
    const lamina::detail::List<StorageId> known = storage_ids();
    NameMap numbers;
    for (std::size_t i = 0; i < known.size(); ++i) numbers.number(known[i].key, std::int64_t(i));
    if (!keys.is(keys.root, Kind::list)) source_.fail("the fifth pickle", "is not the list of the storages' keys");
    for (const Id key : keys[keys.root].items) {
      if (!keys.is(key, Kind::text)) source_.fail("the list of storages", "holds something that is no key");
      const std::string_view name = keys[key].text;
      const std::int64_t* const number = numbers.find(name);
      if (!number) source_.fail_storage(name, {"no tensor uses it, so that its size is unknown"});
      const std::string_view bytes = take_block(known[std::size_t(*number)]);
      if (!source_.add_storage(name, bytes)) source_.fail_storage(name, {"there are two storages of this key"});
    }
  }
  [[gnu::cold]] lamina::detail::List<StorageId> storage_ids() const {
    lamina::detail::List<StorageId> ids;
    for (Id id = 0; id < source_.graph.values.size(); ++id)
      if (source_.graph.is(id, Kind::persistent)) ids.push_back(source_.storage_id(id));
    return ids;
  }
  [[gnu::cold]] std::string_view take_block(const StorageId& storage) {
    const std::string_view rest = source_.file.bytes().substr(at_);
    if (rest.size() < 8) source_.fail_storage(storage.key, {"is missing at byte ", at_, ": the file is cut off"});
    const auto numel = little_endian<std::uint64_t>(rest);
    const std::uint64_t expected = storage.bytes / item_size(storage.dtype);
    if (numel != expected)
      source_.fail_storage(storage.key, {"has ", static_cast<std::int64_t>(numel), " elements at byte ", at_, " and ",
                                         expected, " in the pickle"});
    if (storage.bytes > rest.size() - 8)
      source_.fail_storage(storage.key, {"takes ", storage.bytes, " bytes from ", at_ + 8, " and the file has ",
                                         rest.size() - 8, ": it is cut off"});
    at_ += 8 + storage.bytes;
    return rest.substr(8, storage.bytes);
  }
};

}  // namespace detail

/// Reads the source's file, which is in PyTorch's old format. Throws checkpoint_error.
[[gnu::cold]] inline void read_torch_legacy(TorchSource& source) { detail::LegacyReader(source).read(); }

}  // namespace lamina::io
