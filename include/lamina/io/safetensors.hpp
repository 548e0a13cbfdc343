/// The safetensors format: a JSON table of names, dtypes, shapes and places, then the bytes.
#pragma once
#include "../core/list.hpp"
#include "byte_range.hpp"
#include "bytes.hpp"
#include "json.hpp"
#include "state_dict.hpp"
#include <string>
#include <string_view>
#include <utility>

namespace lamina::io {

namespace detail {

inline constexpr std::pair<std::string_view, Dtype> safetensors_dtypes[] = {
    {"F32", Dtype::float32},
    {"F16", Dtype::float16},
    {"BF16", Dtype::bfloat16},
    {"F64", Dtype::float64},
    {"I64", Dtype::int64},
    {"I32", Dtype::int32},
    {"I16", Dtype::int16},
    {"I8", Dtype::int8},
    {"U8", Dtype::uint8},
    {"BOOL", Dtype::boolean},
    {"U16", Dtype::uint16},
    {"U32", Dtype::uint32},
    {"U64", Dtype::uint64},
    {"C64", Dtype::complex64},
    {"F8_E4M3", Dtype::float8_e4m3fn},
    {"F8_E5M2", Dtype::float8_e5m2},
    {"F8_E4M3FNUZ", Dtype::float8_e4m3fnuz},
    {"F8_E5M2FNUZ", Dtype::float8_e5m2fnuz},
    {"F8_E8M0", Dtype::float8_e8m0fnu},
};

/// Reads the header of a safetensors file: an object of objects of strings and arrays of sizes, and nothing else.
class SafetensorsReader {
 public:
  explicit SafetensorsReader(MappedFile file) : file_(std::move(file)), tensors_(file_) {}

  [[gnu::cold]] StateDict read() {
    const std::string_view all = file_.bytes();
    if (all.size() < 8)
      refuse(file_.path(), "", "is cut off: shorter than the 8 bytes that every safetensors file begins with");
    const auto size = little_endian<std::uint64_t>(all);
    if (size > 100000000) refuse(file_.path(), {}, {"the header would take ", size, " bytes; 100000000 are the limit"});
    if (size > all.size() - 8)
      refuse(file_.path(), {}, {"is cut off: the header takes ", size, " bytes and the file has ", all.size() - 8});
    data_ = all.substr(8 + size);
    JsonReader json(file_.path(), all.substr(8, size), 8);
    for (bool more = json.first('{', '}'); more; more = json.another('}')) {
      std::string name = json.key();
      name == "__metadata__" ? read_metadata(json) : read_tensor(json, std::move(name));
    }
    json.end();
    check_places();
    return std::move(tensors_);
  }

  /// Names and texts in turn, once the file is read.
  std::vector<std::string> metadata() { return std::move(metadata_); }

 private:
  MappedFile file_;
  StateDict tensors_;
  std::string_view data_;
  bool metadata_seen_ = false;
  std::vector<std::string> metadata_;
  lamina::detail::List<ByteRange> places_;  // data_offsets, of the tensors in their order

  [[noreturn, gnu::cold, gnu::noinline]] void fail_tensor(std::string_view name, Message why) const {
    refuse(file_.path(), {"tensor ", quoted_name(name)}, why);
  }
  [[noreturn, gnu::cold, gnu::noinline]] void fail_tensor(std::string_view name, const char* why) const {
    fail_tensor(name, Message{why});
  }

  [[gnu::cold]] void read_metadata(JsonReader& json) {
    if (std::exchange(metadata_seen_, true)) json.fail("two entries of the name \"__metadata__\"");
    NameMap seen;
    std::int64_t count = 0;
    for (bool more = json.first('{', '}'); more; more = json.another('}'), ++count) {
      std::string name = json.key();
      if (seen.number(name, count) != count) json.fail("two metadata of one name");
      metadata_.push_back(std::move(name));
      metadata_.push_back(json.string());
    }
  }

  [[gnu::cold]] void read_tensor(JsonReader& json, std::string name) {
    if (tensors_.find(name)) json.fail({"two tensors of the name ", quoted_name(name)});
    TensorRecord tensor;
    std::uint64_t places[2] = {0, 0};
    bool seen[3] = {};
    for (bool more = json.first('{', '}'); more; more = json.another('}')) {
      const std::string property = json.key();
      const int field = property == "dtype" ? 0 : property == "shape" ? 1 : property == "data_offsets" ? 2 : -1;
      if (field < 0) json.fail({"tensor ", quoted_name(name), " has an unknown property ", quoted_name(property)});
      if (std::exchange(seen[field], true)) json.fail({"tensor ", quoted_name(name), " has two ", property});
      if (field == 0) tensor.dtype = read_dtype(name, json.string());
      else if (field == 1) read_shape(json, name, tensor);
      else read_places(json, name, places);
    }
    if (!seen[0] || !seen[1] || !seen[2]) fail_tensor(name, "lacks one of dtype, shape and data_offsets");
    set_strides_and_check_size(name, tensor, places);
    tensor.data = reinterpret_cast<const std::byte*>(data_.data()) + places[0];
    tensor.name = std::move(name);
    places_.push_back({places[0], places[1], tensors_.size()});
    tensors_.add(std::move(tensor));
  }

  [[gnu::cold]] Dtype read_dtype(std::string_view tensor, std::string_view name) const {
    for (const auto& [shown, dtype] : safetensors_dtypes)
      if (shown == name) return dtype;
    fail_tensor(tensor, {"has the dtype ", quoted_name(name), ", which is not read"});
  }
  [[gnu::cold]] void read_shape(JsonReader& json, std::string_view name, TensorRecord& tensor) {
    for (bool more = json.first('[', ']'); more; more = json.another(']')) {
      const std::uint64_t size = json.number();
      if (size > INT64_MAX) json.fail("a size beyond 63 bits");
      if (tensor.shape.size() == 64) fail_tensor(name, "has more than 64 dimensions");
      tensor.shape.push_back(static_cast<std::int64_t>(size));
    }
  }
  [[gnu::cold]] void read_places(JsonReader& json, std::string_view name, std::uint64_t (&places)[2]) {
    int count = 0;
    for (bool more = json.first('[', ']'); more; more = json.another(']')) {
      if (count == 2) fail_tensor(name, "has more than two data_offsets");
      places[count++] = json.number();
    }
    if (count != 2) fail_tensor(name, "has fewer than two data_offsets");
    if (places[0] > places[1] || places[1] > data_.size())
      fail_tensor(name, {"lies at bytes ", places[0], " to ", places[1], " of the data, which has ", data_.size(),
                         (places[1] > data_.size() ? ": the file is cut off" : "")});
  }
  [[gnu::cold]] void set_strides_and_check_size(std::string_view name, TensorRecord& tensor,
                                                const std::uint64_t (&places)[2]) const {
    std::int64_t bytes = static_cast<std::int64_t>(item_size(tensor.dtype)), stride = 1;
    bool overflow = false;
    for (const std::int64_t size : tensor.shape) overflow |= __builtin_mul_overflow(bytes, size, &bytes);
    if (overflow) fail_tensor(name, "its sizes are beyond 64 bits");
    if (static_cast<std::uint64_t>(bytes) != places[1] - places[0])
      fail_tensor(name, {"needs ", bytes, " bytes and its data_offsets span ", places[1] - places[0]});
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) tensor.strides.push_back(0);
    for (std::size_t i = tensor.shape.size(); i-- > 0;) {
      tensor.strides[i] = stride;
      if (tensor.shape[i] > 1 && bytes > 0) stride *= tensor.shape[i];
    }
  }

  /// The tensors fill the data without a hole and without an overlap.
  [[gnu::cold]] void check_places() {
    sort(places_);
    std::uint64_t end = 0;
    for (const ByteRange& place : places_) {
      if (place.begin != end)
        fail_tensor(tensors_[place.owner].name,
                    {"begins at byte ", place.begin, " of the data; the tensor before it ends at ", end});
      end = place.end;
    }
    if (end != data_.size())
      refuse(file_.path(), {}, {"the tensors end at byte ", end, " of the data, which has ", data_.size()});
  }
};

}  // namespace detail

/// Reads a safetensors file as strictly as the format is defined (huggingface/safetensors README.md and tensor.rs), and
/// refuses names that occur twice. `metadata` gets the names and texts of the file's metadata in turn. Throws
/// checkpoint_error.
[[gnu::cold]] inline StateDict read_safetensors(MappedFile file, std::vector<std::string>* metadata = nullptr) {
  detail::SafetensorsReader reader(std::move(file));
  StateDict tensors = reader.read();
  if (metadata) *metadata = reader.metadata();
  return tensors;
}

}  // namespace lamina::io
