/// What calls of one engine at the same time must not share.
#pragma once
#include "../core/owned.hpp"
#include <atomic>
#include <mutex>

namespace lamina::calls {

/// Objects that calls borrow: one call at a time takes no lock and finds the object of the last; calls at the same time
/// get one each, which are kept.
template <class T> class Lender {
  struct Node {
    T object{};
    detail::Owned<Node> next{};
  };
  std::atomic<Node*> first{nullptr};
  std::mutex mutex;
  detail::Owned<Node> more;

  Node* take() {
    if (Node* const node = first.exchange(nullptr, std::memory_order_acquire)) return node;
    const std::lock_guard lock(mutex);
    if (!more) return new Node;
    Node* const node = more.release();
    more = std::move(node->next);
    return node;
  }
  void give(Node* node) {
    Node* none = nullptr;
    if (first.compare_exchange_strong(none, node, std::memory_order_release)) return;
    const std::lock_guard lock(mutex);
    node->next = std::move(more);
    more = detail::Owned<Node>(node);
  }

 public:
  Lender() = default;
  ~Lender() {
    delete first.load();
    while (more) more = std::move(more->next);
  }

  /// Gives the object back at the end.
  class Loan {
    Lender& owner;
    Node* const node;

   public:
    explicit Loan(Lender& o) : owner(o), node(o.take()) {}
    ~Loan() { owner.give(node); }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    T& operator*() const { return node->object; }
    T* operator->() const { return &node->object; }
  };
};

}  // namespace lamina::calls
