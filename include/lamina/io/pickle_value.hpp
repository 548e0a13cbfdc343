/// What a pickle says, as inert data.
#pragma once
#include "../core/list.hpp"
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lamina::io::pickle {

/// The index of a value in its Graph.
using Id = std::uint32_t;
inline constexpr Id no_value = ~Id(0);
using Ids = lamina::detail::List<Id>;

/// What a value is. A call is something Python would have computed; here its function and arguments are kept, nothing
/// runs.
enum class Kind : std::uint8_t {
  none,
  boolean,
  integer,
  long_integer,  // beyond 64 bits: `text` holds its two's complement bytes, little-endian
  real,
  text,
  bytes,
  tuple,
  list,
  dict,  // also OrderedDict and Counter
  set,
  global,      // a class or function by name
  persistent,  // a reference to bytes outside the pickle: items = {id}
  tensor,      // a call of one of PyTorch's tensor functions: items = arguments, `name` = function
  call,        // another harmless call, such as torch.device('cuda', 0): items = {global, arguments...}
  object,      // an instance: items = {class}
};

/// The kind in words for messages: `a list`.
constexpr std::string_view kind_name(Kind kind) {
  constexpr std::string_view names[] = {"None",      "a bool",   "an int",    "an int",
                                        "a float",   "a string", "bytes",     "a tuple",
                                        "a list",    "a dict",   "a set",     "a class or function",
                                        "a storage", "a tensor", "an object", "an object"};
  return names[static_cast<std::size_t>(kind)];
}

/// A value of a pickle. Text lies in the pickle's own bytes.
struct Value {
  Kind kind = Kind::none;
  bool hashable = true;      ///< whether Python accepts it as the key of a dict
  std::uint16_t depth = 0;   ///< levels of values below it when it was last changed
  std::uint32_t offset = 0;  ///< where in the pickle it was made
  Id state = no_value;       ///< of an object or an OrderedDict: what BUILD gave it, usually the dict of its attributes
  union {
    std::int64_t integer = 0;  ///< of a boolean (0, 1) and an integer
    double real;
  };
  std::string_view text;  ///< of text, bytes, long_integer; of a global its module
  std::string_view name;  ///< of a global and a tensor
  Ids items;              ///< in order; of a dict: key, value, key, value, ..
};

/// The values of one pickle. They refer to each other by index, so shared values and cycles need no care when they are
/// destroyed, and a deep nesting no recursion. A walk along `items` and `state` can meet a cycle: bound its depth.
struct Graph {
  lamina::detail::List<Value> values;
  Id root = no_value;

  const Value& operator[](Id id) const { return values[id]; }

  bool is(Id id, Kind kind) const { return id != no_value && values[id].kind == kind; }
  bool is_text(Id id, std::string_view text) const { return is(id, Kind::text) && values[id].text == text; }
  bool is_global(Id id, std::string_view module, std::string_view name) const {
    return is(id, Kind::global) && values[id].text == module && values[id].name == name;
  }

  /// The value of a text key of a dict, or no_value: also if `dict` is no dict. The last of equal keys counts.
  [[gnu::cold]] Id find(Id dict, std::string_view key) const {
    if (!is(dict, Kind::dict)) return no_value;
    const Ids& items = values[dict].items;
    for (std::size_t i = items.size(); i >= 2; i -= 2)
      if (is_text(items[i - 2], key)) return items[i - 1];
    return no_value;
  }

  /// An attribute of an object, or no_value.
  [[gnu::cold]] Id attribute(Id object, std::string_view name) const {
    return is(object, Kind::object) ? find(values[object].state, name) : no_value;
  }
};

}  // namespace lamina::io::pickle
