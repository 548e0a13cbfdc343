/// The structure of a model as save_model writes it: the class and options of each module by its path.
#pragma once
#include "module_tree.hpp"
#include "pickle_value.hpp"
#include <string>
#include <string_view>
#include <utility>

namespace lamina::io {

/// Splits `Class(own text)` into the class and its options; those without a name come first, as in Conv2d(3, 8, ..).
[[gnu::cold]] inline ModuleNode module_node(std::string path, std::string_view class_module, std::string_view text) {
  ModuleNode node;
  const std::size_t dot = path.rfind('.');
  node.name = path.substr(dot == path.npos ? 0 : dot + 1);
  for (const char c : path) node.depth += c == '.';
  node.depth += !path.empty();
  node.path = std::move(path);
  node.class_module = class_module;
  const std::size_t open = text.find('(');
  node.class_name = text.substr(0, open);
  if (open == text.npos) return node;
  std::string_view options = text.substr(open + 1);
  if (options.ends_with(')')) options.remove_suffix(1);
  int depth = 0;
  for (std::size_t begin = 0, i = 0; i <= options.size(); ++i) {
    const char c = i < options.size() ? options[i] : ',';
    depth += (c == '(' || c == '[') - (c == ')' || c == ']');
    if (c != ',' || depth > 0) continue;
    std::string_view option = options.substr(begin, i - begin);
    begin = i + 1;
    while (option.starts_with(' ')) option.remove_prefix(1);
    const std::size_t equals = option.find('=');
    if (option.empty()) continue;
    if (equals == option.npos) node.attributes.push_back({"", std::string(option)});
    else node.attributes.push_back({std::string(option.substr(0, equals)), std::string(option.substr(equals + 1))});
  }
  return node;
}

/// The modules of {path: 'Class(own text)'}; their class module is `lamina`, which no module of Python is in.
[[gnu::cold]] inline ModuleTree saved_structure(const pickle::Graph& graph, pickle::Id dict) {
  ModuleTree tree;
  if (!graph.is(dict, pickle::Kind::dict)) return tree;
  const pickle::Ids& items = graph[dict].items;
  for (std::size_t i = 0; i < items.size(); i += 2)
    if (graph.is(items[i], pickle::Kind::text) && graph.is(items[i + 1], pickle::Kind::text))
      tree.push_back(module_node(std::string(graph[items[i]].text), "lamina", graph[items[i + 1]].text));
  return tree;
}

}  // namespace lamina::io
