/// Numbers by name.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace lamina::io {

/// A number for each of many names from a file. A tree and not a hash table, whose time a hostile file could spend.
/// Everything that reads files shares this one type of map: each type takes a program 0.1 s to compile.
class NameMap {
 public:
  /// The number of a name; a new name gets `fresh`.
  [[gnu::noinline]] std::int64_t& number(std::string_view name, std::int64_t fresh) {
    const auto place = numbers_.lower_bound(name);
    if (place != numbers_.end() && place->first == name) return place->second;
    return numbers_.emplace_hint(place, name, fresh)->second;
  }
  /// The number of a name, or nullptr.
  [[gnu::noinline]] const std::int64_t* find(std::string_view name) const {
    const auto place = numbers_.find(name);
    return place == numbers_.end() ? nullptr : &place->second;
  }

 private:
  std::map<std::string, std::int64_t, std::less<>> numbers_;
};

}  // namespace lamina::io
