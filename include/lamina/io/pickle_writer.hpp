/// Writes pickles.
#pragma once
#include "zip_writer.hpp"
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace lamina::io {

/// Writes the opcodes of pickle protocol 2 that `torch.load(weights_only=True)` reads
/// (torch/_weights_only_unpickler.py), one function a kind of value. No memo: Python then makes equal values of equal
/// text.
class PickleWriter {
  std::string bytes_ = "\x80\x02";

  PickleWriter& code(char opcode) {
    bytes_ += opcode;
    return *this;
  }

 public:
  PickleWriter& none() { return code('N'); }
  PickleWriter& boolean(bool value) { return code(value ? '\x88' : '\x89'); }
  [[gnu::noinline]] PickleWriter& integer(std::int64_t value) {
    if (value >= 0 && value < 256) append_little_endian(bytes_ += 'K', static_cast<std::uint8_t>(value));
    else if (value >= 0 && value < 65536) append_little_endian(bytes_ += 'M', static_cast<std::uint16_t>(value));
    else if (value >= INT32_MIN && value <= INT32_MAX)
      append_little_endian(bytes_ += 'J', static_cast<std::uint32_t>(value));
    else append_little_endian(bytes_ += "\x8a\x08", static_cast<std::uint64_t>(value));
    return *this;
  }
  [[gnu::noinline]] PickleWriter& real(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    bytes_ += 'G';
    for (int shift = 56; shift >= 0; shift -= 8) bytes_ += static_cast<char>(bits >> shift & 255u);
    return *this;
  }
  [[gnu::noinline]] PickleWriter& text(std::string_view value) {
    append_little_endian(bytes_ += 'X', static_cast<std::uint32_t>(value.size()));
    bytes_ += value;
    return *this;
  }
  /// A class or function.
  [[gnu::noinline]] PickleWriter& global(std::string_view module, std::string_view name) {
    (((bytes_ += 'c') += module) += '\n') += name;
    return code('\n');
  }
  /// A tuple of what is written between the two.
  PickleWriter& begin_tuple() { return code('('); }
  PickleWriter& end_tuple() { return code('t'); }
  /// A dict, or OrderedDict, of the keys and values written between the two.
  PickleWriter& begin_dict() { return code('}').code('('); }
  PickleWriter& begin_ordered_dict() { return empty_ordered_dict().code('('); }
  PickleWriter& end_dict() { return code('u'); }
  PickleWriter& empty_ordered_dict() { return global("collections", "OrderedDict").code(')').code('R'); }
  /// Calls the function with the tuple of arguments that was written after it.
  PickleWriter& call() { return code('R'); }
  /// Makes the tuple that was written a reference to bytes outside of the pickle.
  PickleWriter& persistent() { return code('Q'); }
  /// Gives the object the attributes of the dict that was written after it.
  PickleWriter& set_attributes() { return code('b'); }

  /// The whole pickle.
  const std::string& finish() { return code('.').bytes_; }
};

}  // namespace lamina::io
