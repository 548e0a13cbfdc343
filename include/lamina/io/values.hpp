/// Values that ride along with the weights in a file: an epoch, a best score, the state of a generator.
#pragma once
#include "../core/list.hpp"
#include "name_map.hpp"
#include "refuse.hpp"
#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace lamina::io {

/// A value by name: a Python bool, int, float or str.
using Value = std::variant<bool, std::int64_t, double, std::string>;

/// Named values in order. In a file of torch.save they stand beside the state_dict, `{'state_dict': .., 'epoch': 5}`;
/// in a safetensors file they are its metadata, which is text alone.
///   Values values{{"epoch", 5}, {"best", 0.93}, {"generator", text}};
///   values.get<std::int64_t>("epoch");
class Values {
 public:
  struct Entry {
    std::string name;
    Value value;

    Entry(std::string n, bool v) : name(std::move(n)), value(v) {}
    template <std::integral T> Entry(std::string n, T v) : name(std::move(n)), value(std::int64_t(v)) {}
    template <std::floating_point T> Entry(std::string n, T v) : name(std::move(n)), value(double(v)) {}
    Entry(std::string n, const char* v) : name(std::move(n)), value(std::string(v)) {}
    Entry(std::string n, std::string v) : name(std::move(n)), value(std::move(v)) {}
  };

  Values() = default;
  Values(std::initializer_list<Entry> entries) {
    for (const Entry& entry : entries) set(entry);
  }

  /// Adds a value at the end, or replaces that of the same name in its place.
  [[gnu::noinline]] void set(Entry entry) {
    const auto index = std::size_t(by_name_.number(entry.name, std::int64_t(entries_.size())));
    if (index == entries_.size()) entries_.push_back(std::move(entry));
    else entries_[index].value = std::move(entry.value);
  }

  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }

  /// The value of that name, or nullptr.
  [[gnu::noinline]] const Value* find(std::string_view name) const {
    const std::int64_t* const index = by_name_.find(name);
    return index ? &entries_[std::size_t(*index)].value : nullptr;
  }
  /// The value of that name as a bool, std::int64_t, double or std::string. An int serves as a double, and text that
  /// spells a value as Python does (`True`, `5`, `0.93`) as that value, since safetensors holds only text. Throws
  /// checkpoint_error where there is none, or one of another kind.
  template <class T> T get(std::string_view name) const {
    const Value* const value = find(name);
    if (!value) throw checkpoint_error(text_of({"there is no value named ", quoted_name(name)}));
    if (const T* const same = std::get_if<T>(value)) return *same;
    T converted{};
    if constexpr (std::is_same_v<T, double>)
      if (const auto* const integer = std::get_if<std::int64_t>(value)) return double(*integer);
    if constexpr (!std::is_same_v<T, std::string>)
      if (const auto* const text = std::get_if<std::string>(value); text && parse(*text, converted)) return converted;
    throw checkpoint_error(text_of({"the value ", quoted_name(name), " is of another kind than was asked for"}));
  }

 private:
  lamina::detail::List<Entry> entries_;
  NameMap by_name_;

  static bool parse(std::string_view text, bool& value) { return (value = text == "True") || text == "False"; }
  template <class T> static bool parse(std::string_view text, T& value) {
    const char* const end = text.data() + text.size();
    const auto [stop, fault] = std::from_chars(text.data(), end, value);
    return fault == std::errc() && stop == end;
  }
};

}  // namespace lamina::io
