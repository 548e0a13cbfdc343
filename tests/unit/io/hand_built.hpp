/// Weight files made byte by byte, the sound ones and the broken ones.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <lamina/io/read.hpp>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

namespace hand_built {

/// An integer in little-endian bytes.
template <class T> std::string bytes_of(T value) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    bytes += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xff);
  return bytes;
}
inline std::string u16(std::uint64_t value) { return bytes_of(static_cast<std::uint16_t>(value)); }
inline std::string u32(std::uint64_t value) { return bytes_of(static_cast<std::uint32_t>(value)); }
inline std::string u64(std::uint64_t value) { return bytes_of(value); }

/// float32 elements as a little-endian machine stores them.
inline std::string floats(const std::vector<float>& values) {
  std::string bytes;
  for (const float value : values) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, 4);
    bytes += u32(bits);
  }
  return bytes;
}

inline std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A file that exists as long as this object.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view bytes) {
    descriptor_ = mkstemp(path_);
    if (write(descriptor_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
      throw std::runtime_error("cannot write a temporary file");
  }
  TemporaryFile(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    close(descriptor_);
    std::remove(path_);
  }
  const char* path() const { return path_; }

 private:
  char path_[32] = "/tmp/lamina_io_XXXXXX";
  int descriptor_ = -1;
};

// --- zip (APPNOTE 6.3.9)
// ------------------------------------------------------------------------------------------------

/// One record with every field that a test may want to be wrong.
struct Record {
  std::string name, bytes;
  std::uint32_t crc = 0;  // unknown
  std::uint16_t method = 0, flags = 0;
  std::string local_name = name, local_extra = {}, extra = {};
  std::uint32_t packed_size = static_cast<std::uint32_t>(bytes.size()), size = static_cast<std::uint32_t>(bytes.size());
};

inline std::string zip(const std::vector<Record>& records) {
  std::string body, directory;
  for (const Record& r : records) {
    const std::string common = u16(r.flags) + u16(r.method) + u32(0) + u32(r.crc) + u32(r.packed_size) + u32(r.size);
    directory += "PK\1\2" + u16(20) + u16(20) + common + u16(r.name.size()) + u16(r.extra.size()) + u16(0) + u16(0) +
                 u16(0) + u32(0) + u32(body.size()) + r.name + r.extra;
    body += "PK\3\4" + u16(20) + common + u16(r.local_name.size()) + u16(r.local_extra.size()) + r.local_name +
            r.local_extra + r.bytes;
  }
  return body + directory + "PK\5\6" + u32(0) + u16(records.size()) + u16(records.size()) + u32(directory.size()) +
         u32(body.size()) + u16(0);
}

/// A torch.save file of a pickle and the records data/0, data/1, ..
inline std::vector<Record> torch_records(const std::string& pickle, const std::vector<std::string>& data = {}) {
  std::vector<Record> records{{"a/data.pkl", pickle}, {"a/byteorder", "little"}};
  for (const std::string& bytes : data) records.push_back({"a/data/" + std::to_string(records.size() - 2), bytes});
  records.push_back({"a/version", "3\n"});
  return records;
}
inline std::string torch_file(const std::string& pickle, const std::vector<std::string>& data = {}) {
  return zip(torch_records(pickle, data));
}

// --- pickle (pickletools.py)
// --------------------------------------------------------------------------------------------

inline std::string text(const std::string& value) { return "X" + u32(value.size()) + value; }
inline std::string number(std::int64_t value) { return "\x8a\x08" + u64(static_cast<std::uint64_t>(value)); }
inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string tuple(const std::vector<std::string>& items) {
  std::string pickle = "(";
  for (const std::string& item : items) pickle += item;
  return pickle + "t";
}
inline std::string numbers(const std::vector<std::int64_t>& values) {
  std::vector<std::string> items;
  for (const std::int64_t value : values) items.push_back(number(value));
  return tuple(items);
}
inline std::string dict(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string pickle = "}(";
  for (const auto& [key, value] : entries) pickle += text(key) + value;
  return pickle + "u";
}
inline std::string ordered_dict() { return global("collections", "OrderedDict") + ")R"; }
/// A whole pickle of protocol 2.
inline std::string pickled(const std::string& value) { return "\x80\2" + value + "."; }

struct Tensor {
  std::vector<std::int64_t> sizes{2}, strides{1};
  std::int64_t offset = 0, stored = 2;
  std::string type = "FloatStorage", key = "0", module = "torch", location = "cpu";
};
inline std::string storage(const Tensor& t) {
  return tuple({text("storage"), global(t.module, t.type), text(t.key), text(t.location), number(t.stored)}) + "Q";
}
inline std::string tensor(const Tensor& t = {}) {
  return global("torch._utils", "_rebuild_tensor_v2") +
         tuple({storage(t), number(t.offset), numbers(t.sizes), numbers(t.strides), "\x89", ordered_dict()}) + "R";
}
/// An instance of a class with that state.
inline std::string object(const std::string& module, const std::string& name, const std::string& state) {
  return global(module, name) + ")\x81" + state + "b";
}

// --- reading
// ------------------------------------------------------------------------------------------------------------

/// The elements in C order.
template <class T> std::vector<T> elements(const lamina::io::TensorRecord& tensor, lamina::Dtype dtype) {
  std::vector<T> values(static_cast<std::size_t>(tensor.numel()));
  lamina::io::copy_elements(tensor, dtype, values.data());
  return values;
}
inline std::vector<float> elements(const lamina::io::TensorRecord& tensor) {
  return elements<float>(tensor, lamina::Dtype::float32);
}

/// Reads every byte that a state_dict promises.
inline void touch(const lamina::io::StateDict& tensors) {
  for (const auto& tensor : tensors) elements<double>(tensor, lamina::Dtype::float64);
}

/// What reading the file reports, without the path; empty if it is read.
inline std::string refusal(lamina::io::MappedFile file) {
  const std::string start = std::string(file.path()) + ": ";
  try {
    touch(lamina::io::read_state_dict(std::move(file)));
  } catch (const lamina::checkpoint_error& error) {
    const std::string message = error.what();
    return message.substr(0, start.size()) == start ? message.substr(start.size()) : "NO PATH IN: " + message;
  }
  return "";
}
/// The same for a file of these bytes. They lie in a block of their own, so that the address sanitizer sees every step
/// over their end.
inline std::string refusal(std::string_view bytes) {
  const std::vector<char> block(bytes.begin(), bytes.end());
  return refusal(lamina::io::MappedFile("file", {block.data(), block.size()}));
}

/// The keys in order.
inline std::vector<std::string> keys(const lamina::io::StateDict& tensors) {
  std::vector<std::string> names;
  for (const auto& tensor : tensors) names.push_back(tensor.name);
  return names;
}

}  // namespace hand_built
