/// Numbers by name.
#pragma once
#include "../core/list.hpp"
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lamina::io {

/// A number for each of many names from a file. A balanced tree (AA tree: Arne Andersson, Balanced search trees made
/// simple, 1993) and not a hash table, whose time a hostile file could spend. Its nodes are plain numbers in one list,
/// because std::map takes a program 0.2 s to compile.
class NameMap {
 public:
  /// The number of a name; a new name gets `fresh`. The reference holds until the next new name.
  [[gnu::noinline, gnu::cold]] std::int64_t& number(std::string_view name, std::int64_t fresh) {
    // The way down; its nodes are balanced on the way up.
    std::uint32_t path[max_height];
    int depth = 0;
    for (std::uint32_t at = root_; at != nil;) {
      path[depth++] = at;
      const int order = name.compare(name_of(nodes_[at]));
      if (order == 0) return nodes_[at].number;
      at = nodes_[at].child[order > 0];
    }
    const auto fresh_node = static_cast<std::uint32_t>(nodes_.size());
    nodes_.push_back({names_.size(), name.size(), fresh, {nil, nil}, 1});
    names_ += name;
    std::uint32_t below = fresh_node;
    while (depth > 0) {
      const std::uint32_t at = path[--depth];
      nodes_[at].child[name.compare(name_of(nodes_[at])) > 0] = below;
      below = split(skew(at));
    }
    root_ = below;
    return nodes_[fresh_node].number;
  }

  /// The number of a name, or nullptr.
  [[gnu::noinline, gnu::cold]] const std::int64_t* find(std::string_view name) const {
    for (std::uint32_t at = root_; at != nil;) {
      const int order = name.compare(name_of(nodes_[at]));
      if (order == 0) return &nodes_[at].number;
      at = nodes_[at].child[order > 0];
    }
    return nullptr;
  }

 private:
  static constexpr std::uint32_t nil = ~std::uint32_t(0);
  static constexpr int max_height = 128;  // at most twice the binary logarithm of the number of nodes
  struct Node {
    std::size_t begin, size;  // of the name
    std::int64_t number;
    std::uint32_t child[2], level;
  };
  lamina::detail::List<Node> nodes_;
  std::string names_;
  std::uint32_t root_ = nil;

  std::string_view name_of(const Node& node) const { return std::string_view(names_).substr(node.begin, node.size); }
  std::uint32_t level(std::uint32_t at) const { return at == nil ? 0 : nodes_[at].level; }

  // A left child of the node's own level becomes its parent.
  std::uint32_t skew(std::uint32_t at) {
    const std::uint32_t left = nodes_[at].child[0];
    if (level(left) != nodes_[at].level) return at;
    nodes_[at].child[0] = nodes_[left].child[1];
    nodes_[left].child[1] = at;
    return left;
  }
  // The middle one of three nodes of one level in a row becomes their parent.
  std::uint32_t split(std::uint32_t at) {
    const std::uint32_t right = nodes_[at].child[1];
    if (right == nil || level(nodes_[right].child[1]) != nodes_[at].level) return at;
    nodes_[at].child[1] = nodes_[right].child[0];
    nodes_[right].child[0] = at;
    ++nodes_[right].level;
    return right;
  }
};

}  // namespace lamina::io
