/// The operands, the stack and the memo of a pickle machine, bounded.
#pragma once
#include "../core/list.hpp"
#include "bytes.hpp"
#include "name_map.hpp"
#include "pickle_value.hpp"
#include "refuse.hpp"
#include <span>
#include <string>
#include <string_view>

namespace lamina::io::pickle {

/// Bounds on what a pickle may build. A whole ResNet-152 takes 1/50 of them.
inline constexpr std::size_t max_bytes = std::size_t(1) << 30, max_values = std::size_t(1) << 21,
                             max_steps = std::size_t(1) << 23, max_depth = 1000, max_jumps = std::size_t(1) << 20;

/// What the opcodes of a pickle work on. Every function refuses the file (checkpoint_error) instead of reading or
/// taking what is not there, and the whole takes memory and time in proportion to the pickle's bytes.
class Stack {
 protected:
  Stack(std::string_view file, std::string_view record, std::string_view bytes)
      : file_(file), record_(record), bytes_(bytes) {
    if (bytes.size() > max_bytes) fail("is larger than 1 GiB");
  }

  std::string_view file_, record_, bytes_;
  std::size_t at_ = 0, opcode_at_ = 0, steps_ = 0;
  Graph graph_;

  [[noreturn, gnu::cold, gnu::noinline]] void fail(Message why) const {
    io::refuse(file_, {record_, ": byte ", opcode_at_}, why);
  }
  [[noreturn, gnu::cold, gnu::noinline]] void fail(const char* why) const { fail(Message{why}); }
  [[gnu::noinline, gnu::cold]] void spend(std::size_t steps) {
    if ((steps_ += steps) > max_steps) fail({"the pickle takes more than ", max_steps, " steps"});
  }

  // --- operands
  // -------------------------------------------------------------------------------------------------------
  [[gnu::noinline, gnu::cold]] std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - at_) fail({"needs ", count, " more bytes and the pickle has ", bytes_.size() - at_});
    const std::string_view taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }
  template <class T> T number() { return little_endian<T>(take(sizeof(T))); }
  [[gnu::noinline, gnu::cold]] std::string_view take_text(std::uint64_t count) {
    const std::string_view text = take(count);
    if (!is_utf8(text)) fail("text that is not UTF-8");
    return text;
  }
  [[gnu::noinline, gnu::cold]] std::string_view take_line() {
    const std::size_t end = bytes_.find('\n', at_);
    if (end == bytes_.npos) fail("a line without an end");
    const std::string_view line = take_text(end - at_);
    ++at_;
    return line;
  }
  [[gnu::cold]] std::uint32_t signed_count() {
    const auto count = number<std::uint32_t>();
    if (count > 0x7fffffff) fail("a negative length");
    return count;
  }

  // --- values and the stack
  // -------------------------------------------------------------------------------------------
  Value& value(Id id) { return graph_.values[id]; }
  bool is(Id id, Kind kind) const { return graph_.is(id, kind); }

  [[gnu::noinline, gnu::cold]] Id make(Kind kind, std::string_view text = {}, std::string_view name = {}) {
    if (graph_.values.size() >= max_values) fail({"the pickle holds more than ", max_values, " values"});
    graph_.values.push_back({});
    Value& made = graph_.values.back();
    made.kind = kind;
    made.hashable = kind != Kind::list && kind != Kind::dict && kind != Kind::set;
    made.offset = static_cast<std::uint32_t>(opcode_at_);
    made.text = text;
    made.name = name;
    return static_cast<Id>(graph_.values.size() - 1);
  }
  [[gnu::noinline, gnu::cold]] Id make_with(Kind kind, std::span<const Id> items) {
    const Id made = make(kind);
    for (const Id item : items) {
      add(made, item);
      if (kind == Kind::tuple && !value(item).hashable) value(made).hashable = false;
    }
    return made;
  }
  [[gnu::noinline, gnu::cold]] void add(Id parent, Id child) {
    deepen(parent, child);
    value(parent).items.push_back(child);
  }
  [[gnu::cold]] void deepen(Id parent, Id child) {
    const std::size_t depth = value(child).depth + std::size_t(1);
    if (depth > max_depth) fail({"values are nested more than ", max_depth, " levels deep"});
    if (value(parent).depth < depth) value(parent).depth = static_cast<std::uint16_t>(depth);
  }
  [[gnu::noinline, gnu::cold]] void add_to_set(Id set, Id item) {
    if (!value(item).hashable) fail({kind_name(value(item).kind), " cannot be in a set"});
    add(set, item);
  }
  [[gnu::noinline, gnu::cold]] void set_item(Id dict, Id key, Id item) {
    if (!value(key).hashable) fail({kind_name(value(key).kind), " cannot be the key of a dict"});
    add(dict, key);
    add(dict, item);
  }

  [[gnu::noinline, gnu::cold]] void push(Id id) { stack_.push_back(id); }
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  [[gnu::cold]] Id top() const {
    if (stack_.size() <= floor()) fail("the stack is empty");
    return stack_.back();
  }
  [[gnu::noinline, gnu::cold]] Id pop() {
    const Id id = top();
    stack_.pop_back();
    return id;
  }
  /// What was pushed since the last MARK; valid until the next call of this function or of pop_many.
  [[gnu::noinline, gnu::cold]] std::span<const Id> pop_to_mark() {
    if (marks_.empty()) fail("there is no MARK");
    const std::size_t mark = marks_.back();
    marks_.pop_back();
    return pop_above(mark);
  }
  /// The value under the operands, which must be of that kind to be filled.
  [[gnu::noinline, gnu::cold]] Id target(Kind kind) {
    const Id id = top();
    if (!is(id, kind)) fail({kind_name(value(id).kind), " cannot be filled as ", kind_name(kind)});
    return id;
  }

  [[gnu::noinline, gnu::cold]] void store(std::uint32_t index) {
    const Id id = top();
    if (index < memo_.size()) {
      memo_[index] = id;
    } else if (index == memo_.size()) {
      if (jumps_ > 0 && jumped_.find(std::to_string(std::uint64_t(index)))) --jumps_;
      memo_.push_back(id);
    } else {
      if (jumps_ >= max_jumps) fail({"the memo has more than ", max_jumps, " indices out of order"});
      std::int64_t& stored = jumped_.number(std::to_string(std::uint64_t(index)), -1);
      jumps_ += stored < 0;
      stored = id;
    }
  }
  [[gnu::noinline, gnu::cold]] void recall(std::uint32_t index) {
    if (index < memo_.size()) return push(memo_[index]);
    const std::int64_t* const found = jumped_.find(std::to_string(std::uint64_t(index)));
    if (!found) fail({"nothing was stored in the memo as ", index});
    push(static_cast<Id>(*found));
  }
  std::uint32_t memo_size() const { return static_cast<std::uint32_t>(memo_.size() + jumps_); }
  void mark() { marks_.push_back(stack_.size()); }
  [[gnu::noinline, gnu::cold]] std::span<const Id> pop_many(std::size_t count) {
    if (stack_.size() - floor() < count) fail("the stack is empty");
    return pop_above(stack_.size() - count);
  }
  void pop_or_unmark() {
    if (stack_.size() > floor()) stack_.pop_back();
    else pop_to_mark();
  }

 private:
  [[gnu::cold]] std::span<const Id> pop_above(std::size_t height) {
    popped_.clear();
    for (std::size_t i = height; i < stack_.size(); ++i) popped_.push_back(stack_[i]);
    while (stack_.size() > height) stack_.pop_back();
    return {popped_.data(), popped_.size()};
  }

  Ids stack_, popped_;
  lamina::detail::List<std::size_t> marks_;  // sizes the stack had at each open MARK
  Ids memo_;                                 // the indices 0, 1, 2, .. that pickles nearly always use
  NameMap jumped_;           // the others, by their digits
  std::size_t jumps_ = 0;    // the others that have no place in memo_ by now
};

}  // namespace lamina::io::pickle
