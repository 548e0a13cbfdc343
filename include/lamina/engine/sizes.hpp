/// What an engine keeps for each size that it was called with.
#pragma once
#include "../core/owned.hpp"
#include "../core/shape.hpp"
#include <atomic>
#include <mutex>

namespace lamina::calls {

/// An object for every list of extents, made at the first need. The list only grows, so that it is read without a lock.
template <class T, std::size_t Inputs> class Sizes {
  struct Node {
    Dims dims[Inputs];
    T object;
    const Node* next;
  };
  std::atomic<const Node*> first{nullptr};
  std::mutex mutex;

  const Node* find(const Dims (&dims)[Inputs]) const {
    const auto same = [&](const Node& node) {
      for (std::size_t i = 0; i < Inputs; ++i)
        if (node.dims[i] != dims[i]) return false;
      return true;
    };
    const Node* node = first.load(std::memory_order_acquire);
    while (node && !same(*node)) node = node->next;
    return node;
  }

 public:
  Sizes() = default;
  ~Sizes() {
    for (const Node* node = first.load(); node;) delete std::exchange(node, node->next);
  }

  /// The object of these extents, which make() returns if there is none yet: one thread at a time. What it throws
  /// leaves the list as it was.
  template <class Make> const T& get(const Dims (&dims)[Inputs], const Make& make) {
    if (const Node* known = find(dims)) return known->object;
    const std::lock_guard lock(mutex);
    if (const Node* known = find(dims)) return known->object;
    Node* const node = new Node{{}, make(), first.load(std::memory_order_relaxed)};
    for (std::size_t i = 0; i < Inputs; ++i) node->dims[i] = dims[i];
    first.store(node, std::memory_order_release);
    return node->object;
  }
};

}  // namespace lamina::calls
