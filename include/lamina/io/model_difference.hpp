/// Where the structure of a file and that of a model differ.
#pragma once
#include "checkpoint.hpp"
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

namespace lamina::io {

namespace detail {
/// Whether two values in Python's notation mean the same: `2`, `2.0` and `(2, 2)` do, `'same'` and `same` too.
class OptionText {
  std::vector<double> numbers_;
  std::string text_;

 public:
  explicit OptionText(std::string_view value) {
    for (const char c : value)
      if (c != '\'' && c != ' ' && c != '(' && c != ')' && c != '[' && c != ']') text_ += c;
    if (text_.ends_with(',')) text_.pop_back();  // (3,)
    for (std::size_t begin = 0; begin < text_.size();) {
      std::size_t comma = text_.find(',', begin);
      if (comma == std::string::npos) comma = text_.size();
      double number = 0;
      const auto [stop, fault] = std::from_chars(text_.data() + begin, text_.data() + comma, number);
      if (fault != std::errc() || stop != text_.data() + comma) {
        numbers_.clear();
        return;
      }
      numbers_.push_back(number);
      begin = comma + 1;
    }
  }
  friend bool operator==(const OptionText& a, const OptionText& b) {
    if (a.numbers_.empty() || b.numbers_.empty()) return a.text_ == b.text_;
    const std::size_t count = a.numbers_.size() == 1 ? b.numbers_.size() : a.numbers_.size();
    const auto at = [&](const OptionText& x, std::size_t i) { return x.numbers_[x.numbers_.size() == 1 ? 0 : i]; };
    for (const OptionText* x : {&a, &b})
      if (x->numbers_.size() != 1 && x->numbers_.size() != count) return false;
    for (std::size_t i = 0; i < count; ++i)
      if (at(a, i) != at(b, i)) return false;
    return true;
  }
};

/// What torch.nn calls the options that print(net) shows without a name, in order; and the values at which it leaves
/// others out (`extra_repr` in torch/nn/modules).
inline constexpr std::string_view unnamed_options[][2] = {
    {"in_channels", "out_channels"}, {"num_features", ""}, {"num_groups", "num_channels"}, {"normalized_shape", ""}};
inline constexpr std::pair<std::string_view, std::string_view> hidden_options[] = {
    {"padding", "0"}, {"dilation", "1"}, {"output_padding", "0"}, {"groups", "1"}, {"padding_mode", "zeros"}};

class ModelDifference {
  std::vector<std::string> found_;

  void add(std::string_view path, Message what) {
    found_.push_back(text_of({path.empty() ? "the model" : path, ": ", text_of(what)}));
  }
  void compare_option(std::string_view path, std::string_view name, std::string_view in_file,
                      std::string_view in_model) {
    // `bias` is a parameter, there or not; `inplace` changes no value.
    if (name == "bias" || name == "inplace" || OptionText(in_file) == OptionText(in_model)) return;
    add(path, {name, " is ", in_file, " in the file and ", in_model, " in the model"});
  }

 public:
  /// An option that only one side tells is left alone: a file knows more of a module than print(net) shows.
  void compare_options(std::string_view path, const ModuleNode& file, const ModuleNode& model) {
    const auto* unnamed = &unnamed_options[0];
    for (const auto& names : unnamed_options)
      if (file.attribute(names[0])) unnamed = &names;
    std::size_t position = 0;
    for (const ModuleAttribute& option : model.attributes) {
      const std::string_view name = !option.name.empty() ? std::string_view(option.name)
                                    : position < 2       ? (*unnamed)[position++]
                                                         : std::string_view();
      if (const std::string* const value = file.attribute(name)) compare_option(path, name, *value, option.value);
    }
    for (const auto& [name, usual] : hidden_options) {
      const std::string* const value = model.attributes.empty() ? nullptr : file.attribute(name);
      if (value && !model.attribute(name)) compare_option(path, name, *value, usual);
    }
  }
  /// Both are texts of ours.
  void compare_texts(std::string_view path, const ModuleNode& file, const ModuleNode& model) {
    const ModuleAttribute none{"", "nothing"};
    for (std::size_t i = 0; i < file.attributes.size() || i < model.attributes.size(); ++i) {
      const ModuleAttribute& a = i < file.attributes.size() ? file.attributes[i] : none;
      const ModuleAttribute& b = i < model.attributes.size() ? model.attributes[i] : none;
      if (a.name == b.name) compare_option(path, a.name.empty() ? "an option" : a.name, a.value, b.value);
      else add(path, {a.name, "=", a.value, " in the file and ", b.name, "=", b.value, " in the model"});
    }
  }
  void compare_modules(std::string_view path, const ModuleNode& file, const ModuleNode& model) {
    const bool ours = file.class_module == "lamina", known = ours || file.class_module.starts_with("torch.");
    if (known && file.class_name != model.class_name)
      return add(path, {"is a ", printable(file.class_name), " in the file and a ", model.class_name, " in the model"});
    ours ? compare_texts(path, file, model) : compare_options(path, file, model);
  }
  void only_in(std::string_view which, std::string_view path, std::string_view class_name) {
    add(path, {"is only in ", which, ", a ", printable(class_name)});
  }
  std::vector<std::string> take() { return std::move(found_); }
};
}  // namespace detail

/// Sentences that begin with the path of a module; none if all modules are those of the file. `part` is the path of the
/// module in the file that the model stands for, and `model` is {path: 'Class(own text)'}.
[[gnu::noinline]] inline std::vector<std::string> model_differences(const ModuleTree& file, const Values& model,
                                                                    std::string_view part) {
  detail::ModelDifference difference;
  NameMap in_file;
  std::string above;  // a module that one side lacks stands for all below it
  const auto below = [&](std::string_view path) { return !above.empty() && path.starts_with(above); };
  for (const ModuleNode& node : file) {
    std::string_view path = node.path;
    if (!part.empty()) {
      if (!path.starts_with(part) || (path.size() > part.size() && path[part.size()] != '.')) continue;
      path.remove_prefix(path.size() > part.size() ? part.size() + 1 : part.size());
    }
    in_file.number(path, 0);
    if (below(path)) continue;
    if (const Value* const own = model.find(path)) {
      difference.compare_modules(path, node, module_node(std::string(path), "", std::get<std::string>(*own)));
    } else {
      difference.only_in("the file", path, node.class_name);
      above = text_of({path, "."});
    }
  }
  above.clear();
  for (const Values::Entry& module : model) {
    if (in_file.find(module.name) || below(module.name)) continue;
    const std::string& own = std::get<std::string>(module.value);
    difference.only_in("the model", module.name, std::string_view(own).substr(0, own.find('(')));
    above = module.name + '.';
  }
  return difference.take();
}

}  // namespace lamina::io
