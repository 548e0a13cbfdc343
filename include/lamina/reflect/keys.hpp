/// Names and numbers of what a model stores, as constants.
#pragma once
#include "select.hpp"
#include <array>

namespace lamina {

namespace detail {
struct KeySizes {
  std::size_t keys = 0, chars = 0;
  idx parameters = 0;
};
template <class T> constexpr KeySizes sizes_of_member();
template <class... M, class... Own>
constexpr KeySizes sum_of_sizes(const NameList<sizeof...(M)>& names, types<M...>, types<Own...>) {
  const KeySizes members[] = {sizes_of_member<M>()..., {}};
  const bool again[] = {is_shared<Own>..., false};
  const bool is_module[] = {module<M>..., false};
  KeySizes sum;
  for (std::size_t i = 0; i < sizeof...(M); ++i) {
    sum.keys += members[i].keys;
    sum.chars += members[i].chars + members[i].keys * (names.name[i].size() + is_module[i]);
    if (!again[i]) sum.parameters += members[i].parameters;
  }
  return sum;
}
template <class T>
inline constexpr KeySizes key_sizes = sum_of_sizes(Members<T>::names, listed_types<T>{}, member_types<T>{});
template <class T> constexpr KeySizes sizes_of_member() {
  if constexpr (stored<T>) return {is_saved<T>, 0, is_parameter<T> ? T::size : 0};
  else if constexpr (module<T>) return key_sizes<T>;
  else return {};
}

/// All keys behind one another, and where each ends.
template <std::size_t Keys, std::size_t Chars> struct KeyText {
  char chars[Chars + 1]{};
  std::size_t ends[Keys + 1]{};
};

constexpr void copy_chars(char* to, const char* from, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) to[i] = from[i];
}

/// Writes keys; `prefix` is the path of the module at hand with a dot behind it.
struct KeyWriter {
  static constexpr std::size_t longest_prefix = 512;
  char* chars;
  std::size_t* ends;
  std::size_t size = 0, keys = 0, prefix_size = 0;
  char prefix[longest_prefix]{};

  constexpr void write(std::string_view name) {
    copy_chars(chars + size, prefix, prefix_size);
    copy_chars(chars + size + prefix_size, name.data(), name.size());
    size += prefix_size + name.size();
    ends[keys++] = size;
  }
  constexpr void enter(std::string_view name) {
    if (prefix_size + name.size() >= longest_prefix)
      throw "lamina: the path of a parameter is longer than 512 characters";
    copy_chars(prefix + prefix_size, name.data(), name.size());
    prefix_size += name.size();
    prefix[prefix_size++] = '.';
  }

  template <class... M> constexpr void module_keys(const NameList<sizeof...(M)>& names, types<M...>) {
    // Lists instead of folds: clang folds at most 256 operands.
    std::size_t i = 0;
    const int parameters[] = {(is_parameter<M> ? write(names.name[i]) : void(), ++i, 0)..., 0};
    i = 0;
    const int buffers[] = {(is_buffer<M> && is_saved<M> ? write(names.name[i]) : void(), ++i, 0)..., 0};
    i = 0;
    const int children[] = {(child_keys<M>(names.name[i]), ++i, 0)..., 0};
    (void)parameters, (void)buffers, (void)children;
  }
  template <class T> constexpr void child_keys(std::string_view name) {
    if constexpr (module<T>)
      if (key_sizes<T>.keys > 0) {
        const std::size_t outer = prefix_size;
        enter(name);
        module_keys(Members<T>::names, listed_types<T>{});
        prefix_size = outer;
      }
  }
};
template <class Net>
inline constexpr auto key_text = [] {
  KeyText<key_sizes<Net>.keys, key_sizes<Net>.chars> text;
  KeyWriter writer{text.chars, text.ends};
  writer.module_keys(Members<Net>::names, listed_types<Net>{});
  return text;
}();
}  // namespace detail

namespace detail {
template <class Net, class... At> constexpr idx count_parameters() {
  if constexpr (sizeof...(At) == 0) return key_sizes<Net>.parameters;
  else {
    constexpr int row = row_at<Net, query<At...>>();
    idx sum = 0;
    for (int i = row; i < module_table<Net>.modules[row].end; ++i) sum += module_table<Net>.modules[i].parameters;
    return sum;
  }
}

template <class Net, class... Frozen> struct Trainable;
template <class Net> struct Trainable<Net> { static constexpr idx count = key_sizes<Net>.parameters; };
template <class Net, fixed_string... Path> struct Trainable<Net, frozen<Path...>> {
  static constexpr bool known = ((fail<part_fault(module_table<Net>, Path.view())>(), true) && ...);
  static constexpr idx count = [] {
    const Part parts[] = {find_part(module_table<Net>, Path.view())..., {}};
    idx sum = 0;
    for (std::size_t i = 0; i < module_table<Net>.stored.size(); ++i) {
      const StoredRow& tensor = module_table<Net>.stored[i];
      bool trained = !tensor.buffer;
      for (const Part& part : parts) trained = trained && !part.has(int(i), tensor);
      if (trained) sum += lamina::count(tensor.dims);
    }
    return known ? sum : 0;
  }();
};
}  // namespace detail

/// Number of elements of all parameters (buffers do not count), as `sum(p.numel() for p in net.parameters())`; of a
/// part of the model with its path: `parameter_count<ResNet50, at<"layer4">>`.
template <class Net, class... At> inline constexpr idx parameter_count = detail::count_parameters<Net, At...>();

/// Number of elements of the parameters that are trained when some modules or parameters are frozen:
///   static_assert(trainable_parameter_count<ResNet18, frozen<"conv1", "bn1.weight">> == ...);
/// `requires_grad_` freezes the same parts of a model (reflect/requires_grad.hpp). PyTorch: `sum(p.numel() for p in
/// net.parameters() if p.requires_grad)`.
template <class Net, class... Frozen>
inline constexpr idx trainable_parameter_count = detail::Trainable<Net, Frozen...>::count;

/// The keys of the model's state_dict in PyTorch's order, as an array of string views.
template <class Net>
inline constexpr auto state_dict_keys = [] {
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
