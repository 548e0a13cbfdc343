/// The safetensors format: a JSON table of names, dtypes, shapes and places, then the bytes.
#pragma once
#include "byte_range.hpp"
#include "bytes.hpp"
#include "state_dict.hpp"
#include <string>
#include <string_view>
#include <utility>

namespace lamina::io {

namespace detail {

inline constexpr std::pair<std::string_view, Dtype> safetensors_dtypes[] = {
    {"F32", Dtype::float32}, {"F16", Dtype::float16},   {"BF16", Dtype::bfloat16}, {"F64", Dtype::float64},
    {"I64", Dtype::int64},   {"I32", Dtype::int32},     {"I16", Dtype::int16},     {"I8", Dtype::int8},
    {"U8", Dtype::uint8},    {"BOOL", Dtype::boolean},  {"U16", Dtype::uint16},    {"U32", Dtype::uint32},
    {"U64", Dtype::uint64},  {"C64", Dtype::complex64},
};

/// Reads the JSON (RFC 8259) of a safetensors header, which is known beforehand: an object of objects of strings and
/// arrays of sizes. It takes any white space and any escapes, and nothing else.
class SafetensorsReader {
 public:
  explicit SafetensorsReader(MappedFile file) : file_(std::move(file)), tensors_(file_) {}

  StateDict read() {
    const std::string_view all = file_.bytes();
    if (all.size() < 8)
      refuse(file_.path(), "", "is cut off: shorter than the 8 bytes that every safetensors file begins with");
    const auto size = little_endian<std::uint64_t>(all);
    if (size > 100000000) refuse(file_.path(), {}, {"the header would take ", size, " bytes; 100000000 are the limit"});
    if (size > all.size() - 8)
      refuse(file_.path(), {}, {"is cut off: the header takes ", size, " bytes and the file has ", all.size() - 8});
    json_ = all.substr(8, size);
    data_ = all.substr(8 + size);
    if (json_.empty() || json_[0] != '{') fail("does not begin with {");
    if (!is_utf8(json_)) fail("is not UTF-8");
    for (bool more = first('{', '}'); more; more = another('}')) {
      std::string name = key();
      name == "__metadata__" ? read_metadata() : read_tensor(std::move(name));
    }
    skip_space();
    if (at_ != json_.size()) fail("something follows the closing }");
    check_places();
    return std::move(tensors_);
  }

 private:
  MappedFile file_;
  StateDict tensors_;
  std::string_view json_, data_;
  std::size_t at_ = 0;
  bool metadata_seen_ = false;
  std::vector<ByteRange> places_;  // data_offsets, of the tensors in their order

  [[noreturn, gnu::cold, gnu::noinline]] void fail(Message why) const {
    refuse(file_.path(), {"header: byte ", 8 + at_}, why);
  }
  [[noreturn, gnu::cold, gnu::noinline]] void fail(const char* why) const { fail(Message{why}); }
  [[noreturn, gnu::cold, gnu::noinline]] void fail_tensor(std::string_view name, Message why) const {
    refuse(file_.path(), {"tensor ", quoted_name(name)}, why);
  }
  [[noreturn, gnu::cold, gnu::noinline]] void fail_tensor(std::string_view name, const char* why) const {
    fail_tensor(name, Message{why});
  }

  // --- JSON
  // -----------------------------------------------------------------------------------------------------------
  void skip_space() {
    while (at_ < json_.size() && (json_[at_] == ' ' || json_[at_] == '\t' || json_[at_] == '\n' || json_[at_] == '\r'))
      ++at_;
  }
  [[gnu::noinline]] bool accept(char c) {
    skip_space();
    if (at_ >= json_.size() || json_[at_] != c) return false;
    ++at_;
    return true;
  }
  [[gnu::noinline]] void expect(char c) {
    if (!accept(c)) fail({"expected ", std::string_view(&c, 1)});
  }
  /// Whether the object or array that opens here has a first item, and whether it has another one.
  bool first(char open, char close) {
    expect(open);
    return !accept(close);
  }
  bool another(char close) {
    if (accept(',')) return true;
    expect(close);
    return false;
  }
  std::string key() {
    std::string name = string();
    expect(':');
    return name;
  }

  /// A plain non-negative integer: no sign, no fraction, no exponent, no leading zero.
  [[gnu::noinline]] std::uint64_t number() {
    skip_space();
    const std::size_t begin = at_;
    std::uint64_t value = 0;
    for (; at_ < json_.size() && json_[at_] >= '0' && json_[at_] <= '9'; ++at_)
      if (__builtin_mul_overflow(value, 10u, &value) ||
          __builtin_add_overflow(value, unsigned(json_[at_] - '0'), &value))
        fail("a number beyond 64 bits");
    const bool fraction = at_ < json_.size() && (json_[at_] == '.' || json_[at_] == 'e' || json_[at_] == 'E');
    if (at_ == begin || fraction || (json_[begin] == '0' && at_ - begin > 1))
      fail("expected a plain non-negative integer");
    return value;
  }

  [[gnu::noinline]] std::string string() {
    expect('"');
    std::string result;
    for (;;) {
      if (at_ >= json_.size()) fail("a string without an end");
      const char c = json_[at_++];
      if (c == '"') return result;
      if (static_cast<unsigned char>(c) < 0x20) fail("a control character in a string");
      if (c == '\\') escape(result);
      else result += c;
    }
  }
  [[gnu::cold]] void escape(std::string& result) {
    constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    const char c = at_ < json_.size() ? json_[at_++] : '\0';
    if (c != 'u') {
      const std::size_t index = letters.find(c);
      if (index == letters.npos) fail("an unknown escape in a string");
      result += meanings[index];
      return;
    }
    std::uint32_t code = code_unit();
    if (code >= 0xd800 && code < 0xe000) {
      const bool paired = code < 0xdc00 && json_.substr(at_, 2) == "\\u";
      if (paired) at_ += 2;
      const std::uint32_t low = paired ? code_unit() : 0;
      if (low < 0xdc00 || low >= 0xe000) fail("half a surrogate pair in a string");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    const int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;  // bytes after the first, in UTF-8
    constexpr unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};
    result += static_cast<char>(leads[more] | code >> (6 * more));
    for (int i = more; i-- > 0;) result += static_cast<char>(0x80 | (code >> (6 * i) & 0x3f));
  }
  std::uint32_t code_unit() {
    std::uint32_t unit = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = at_ < json_.size() ? json_[at_++] : '\0';
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) fail("\\u without four hexadecimal digits");
      unit = unit << 4 | static_cast<std::uint32_t>(digit);
    }
    return unit;
  }

  // --- entries
  // --------------------------------------------------------------------------------------------------------
  void read_metadata() {
    if (std::exchange(metadata_seen_, true)) fail("two entries of the name \"__metadata__\"");
    NameMap seen;
    std::int64_t count = 0;
    for (bool more = first('{', '}'); more; more = another('}'), ++count) {
      if (seen.number(key(), count) != count) fail("two metadata of one name");
      string();
    }
  }

  [[gnu::cold]] void read_tensor(std::string name) {
    if (tensors_.find(name)) fail({"two tensors of the name ", quoted_name(name)});
    TensorRecord tensor;
    std::uint64_t places[2] = {0, 0};
    bool seen[3] = {};
    for (bool more = first('{', '}'); more; more = another('}')) {
      const std::string property = key();
      const int field = property == "dtype" ? 0 : property == "shape" ? 1 : property == "data_offsets" ? 2 : -1;
      if (field < 0) fail({"tensor ", quoted_name(name), " has an unknown property ", quoted_name(property)});
      if (std::exchange(seen[field], true)) fail({"tensor ", quoted_name(name), " has two ", property});
      if (field == 0) tensor.dtype = read_dtype(name, string());
      else if (field == 1) read_shape(name, tensor);
      else read_places(name, places);
    }
    if (!seen[0] || !seen[1] || !seen[2]) fail_tensor(name, "lacks one of dtype, shape and data_offsets");
    set_strides_and_check_size(name, tensor, places);
    tensor.data = reinterpret_cast<const std::byte*>(data_.data()) + places[0];
    tensor.name = std::move(name);
    places_.push_back({places[0], places[1], tensors_.size()});
    tensors_.add(std::move(tensor));
  }

  Dtype read_dtype(std::string_view tensor, std::string_view name) const {
    for (const auto& [shown, dtype] : safetensors_dtypes)
      if (shown == name) return dtype;
    fail_tensor(tensor, {"has the dtype ", quoted_name(name), ", which is not read"});
  }
  void read_shape(std::string_view name, TensorRecord& tensor) {
    for (bool more = first('[', ']'); more; more = another(']')) {
      const std::uint64_t size = number();
      if (size > INT64_MAX) fail("a size beyond 63 bits");
      if (tensor.shape.size() == 64) fail_tensor(name, "has more than 64 dimensions");
      tensor.shape.push_back(static_cast<std::int64_t>(size));
    }
  }
  void read_places(std::string_view name, std::uint64_t (&places)[2]) {
    int count = 0;
    for (bool more = first('[', ']'); more; more = another(']')) {
      if (count == 2) fail_tensor(name, "has more than two data_offsets");
      places[count++] = number();
    }
    if (count != 2) fail_tensor(name, "has fewer than two data_offsets");
    if (places[0] > places[1] || places[1] > data_.size())
      fail_tensor(name, {"lies at bytes ", places[0], " to ", places[1], " of the data, which has ", data_.size(),
                         (places[1] > data_.size() ? ": the file is cut off" : "")});
  }
  void set_strides_and_check_size(std::string_view name, TensorRecord& tensor, const std::uint64_t (&places)[2]) const {
    std::int64_t bytes = static_cast<std::int64_t>(item_size(tensor.dtype)), stride = 1;
    bool overflow = false;
    for (const std::int64_t size : tensor.shape) overflow |= __builtin_mul_overflow(bytes, size, &bytes);
    if (overflow) fail_tensor(name, "its sizes are beyond 64 bits");
    if (static_cast<std::uint64_t>(bytes) != places[1] - places[0])
      fail_tensor(name, {"needs ", bytes, " bytes and its data_offsets span ", places[1] - places[0]});
    tensor.strides.resize(tensor.shape.size());
    for (std::size_t i = tensor.shape.size(); i-- > 0;) {
      tensor.strides[i] = stride;
      if (tensor.shape[i] > 1 && bytes > 0) stride *= tensor.shape[i];
    }
  }

  /// The tensors fill the data without a hole and without an overlap.
  void check_places() {
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
/// refuses names that occur twice. Throws checkpoint_error.
inline StateDict read_safetensors(MappedFile file) { return detail::SafetensorsReader(std::move(file)).read(); }

}  // namespace lamina::io
