/// Names and numbers of what a model stores, as constants.
#pragma once
#include "module.hpp"
#include <array>

namespace lamina {

namespace detail {
/// Parameters and buffers that a checkpoint holds.
template <class P> inline constexpr bool is_saved = is_parameter<P>;
template <class S, class T, Persistence X> inline constexpr bool is_saved<Buffer<S, T, X>> = X == Persistence::persistent;

struct KeySizes {
  std::size_t keys = 0, chars = 0;
  idx parameters = 0, buffers = 0;
  template <class P> constexpr void operator()(const Path& path, const P&) {
    (is_parameter<P> ? parameters : buffers) += P::size;
    if (!is_saved<P>) return;
    ++keys;
    chars += path.size();
  }
};
template <class Net> inline constexpr KeySizes key_sizes = [] {
  const Net net{};
  KeySizes sizes;
  for_each_stored(net, sizes);
  return sizes;
}();

/// All keys behind one another, and where each ends.
template <std::size_t Keys, std::size_t Chars> struct KeyText {
  char chars[Chars + 1]{};
  std::size_t ends[Keys + 1]{};
  std::size_t size = 0, keys = 0;
  constexpr void push_back(char c) { chars[size++] = c; }
  template <class P> constexpr void operator()(const Path& path, const P&) {
    if (!is_saved<P>) return;
    path.append_to(*this);
    ends[keys++] = size;
  }
};
template <class Net> inline constexpr auto key_text = [] {
  const Net net{};
  KeyText<key_sizes<Net>.keys, key_sizes<Net>.chars> text;
  for_each_stored(net, text);
  return text;
}();
}  // namespace detail

/// Number of elements of all parameters (buffers do not count), as `sum(p.numel() for p in net.parameters())`.
template <class Net> inline constexpr idx parameter_count = detail::key_sizes<Net>.parameters;

/// The keys of the model's state_dict in PyTorch's order, as an array of string views.
template <class Net> inline constexpr auto state_dict_keys = [] {
  constexpr const auto& text = detail::key_text<Net>;
  std::array<std::string_view, detail::key_sizes<Net>.keys> keys{};
  std::size_t begin = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    keys[i] = {text.chars + begin, text.ends[i] - begin};
    begin = text.ends[i];
  }
  return keys;
}();

}  // namespace lamina
