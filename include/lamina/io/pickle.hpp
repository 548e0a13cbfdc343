/// Reads pickles, the format of Python objects, without running anything in them.
#pragma once
#include "pickle_call.hpp"
#include "pickle_stack.hpp"
#include <bit>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace lamina::io::pickle {

/// The stack machine of pickle protocols 1 to 5 (CPython's Lib/pickletools.py), as far as PyTorch's files use it. Calls
/// and objects become data; see pickle_call.hpp for what is refused.
class Machine : Stack {
 public:
  /// `file` and `record` are named in errors. The pickle begins at byte `start` of `bytes`, where the graph's text
  /// lies.
  Machine(std::string_view file, std::string_view record, std::string_view bytes, std::size_t start = 0)
      : Stack(file, record, bytes) {
    at_ = start;
    none_ = make(Kind::none);
    no_ = make(Kind::boolean);
    yes_ = make(Kind::boolean);
    graph_.values[yes_].integer = 1;
    empty_tuple_ = make(Kind::tuple);
  }

  /// Reads one pickle, up to its STOP. Throws checkpoint_error.
  [[gnu::cold]] Graph run() {
    for (;;) {
      opcode_at_ = at_;
      spend(1);
      const unsigned char opcode = number<unsigned char>();
      if (opcode == 0x2e) break;
      execute(opcode);
    }
    graph_.root = pop();
    return std::move(graph_);
  }

  /// Where the bytes after the pickle begin, once it is read.
  std::size_t end() const { return at_; }

 private:
  Id none_, no_, yes_, empty_tuple_;  // made once

  [[gnu::cold]] void execute(unsigned char opcode) {
    switch (opcode) {
    case 0x80:  // PROTO
      if (number<unsigned char>() > 5) fail("a pickle protocol above 5");
      return;
    case 0x95: {  // FRAME
      const auto length = number<std::uint64_t>();
      if (length > bytes_.size() - at_) fail("a frame that reaches past the end of the pickle");
      return;
    }
    case 0x28: return mark();  // MARK
    case 0x30:                 // POP
      return pop_or_unmark();
    case 0x31: return void(pop_to_mark());                                          // POP_MARK
    case 0x4e: return push(none_);                                                  // NONE
    case 0x88: return push(yes_);                                                   // NEWTRUE
    case 0x89: return push(no_);                                                    // NEWFALSE
    case 0x4a: return integer(static_cast<std::int32_t>(number<std::uint32_t>()));  // BININT
    case 0x4b: return integer(number<unsigned char>());                             // BININT1
    case 0x4d: return integer(number<std::uint16_t>());                             // BININT2
    case 0x8a: return long_integer(take(number<unsigned char>()));                  // LONG1
    case 0x8b: return long_integer(take(signed_count()));                           // LONG4
    case 0x49: return integer_line(take_line());                                    // INT
    case 0x47: {                                                                    // BINFLOAT
      const Id made = make(Kind::real);
      value(made).real = std::bit_cast<double>(big_endian<std::uint64_t>(take(8)));
      return push(made);
    }
    case 0x58: return text(number<std::uint32_t>());                           // BINUNICODE
    case 0x8c: return text(number<unsigned char>());                           // SHORT_BINUNICODE
    case 0x8d: return text(number<std::uint64_t>());                           // BINUNICODE8
    case 0x55: return text(number<unsigned char>());                           // SHORT_BINSTRING
    case 0x54: return text(signed_count());                                    // BINSTRING
    case 0x43: return push(make(Kind::bytes, take(number<unsigned char>())));  // SHORT_BINBYTES
    case 0x42: return push(make(Kind::bytes, take(number<std::uint32_t>())));  // BINBYTES
    case 0x8e: return push(make(Kind::bytes, take(number<std::uint64_t>())));  // BINBYTES8
    case 0x29: return push(empty_tuple_);                                      // EMPTY_TUPLE
    case 0x85: return collect(Kind::tuple, pop_many(1));                       // TUPLE1
    case 0x86: return collect(Kind::tuple, pop_many(2));                       // TUPLE2
    case 0x87: return collect(Kind::tuple, pop_many(3));                       // TUPLE3
    case 0x74: return collect(Kind::tuple, pop_to_mark());                     // TUPLE
    case 0x5d: return push(make(Kind::list));                                  // EMPTY_LIST
    case 0x7d: return push(make(Kind::dict));                                  // EMPTY_DICT
    case 0x8f: return push(make(Kind::set));                                   // EMPTY_SET
    case 0x61: {                                                               // APPEND
      const Id item = pop();
      return add(target(Kind::list), item);
    }
    case 0x65: {  // APPENDS
      const std::span<const Id> items = pop_to_mark();
      const Id list = target(Kind::list);
      for (const Id item : items) add(list, item);
      return;
    }
    case 0x73: {  // SETITEM
      const Id item = pop(), key = pop();
      return set_item(target(Kind::dict), key, item);
    }
    case 0x75: {  // SETITEMS
      const std::span<const Id> items = pop_to_mark();
      const Id dict = target(Kind::dict);
      if (items.size() % 2 != 0) fail("a key without a value");
      for (std::size_t i = 0; i < items.size(); i += 2) set_item(dict, items[i], items[i + 1]);
      return;
    }
    case 0x90: {  // ADDITEMS
      const std::span<const Id> items = pop_to_mark();
      const Id set = target(Kind::set);
      for (const Id item : items) add_to_set(set, item);
      return;
    }
    case 0x91: {  // FROZENSET
      const Id set = make(Kind::set);
      for (const Id item : pop_to_mark()) add_to_set(set, item);
      value(set).hashable = true;
      return push(set);
    }
    case 0x71: return store(number<unsigned char>());   // BINPUT
    case 0x72: return store(number<std::uint32_t>());   // LONG_BINPUT
    case 0x94: return store(memo_size());               // MEMOIZE
    case 0x68: return recall(number<unsigned char>());  // BINGET
    case 0x6a: return recall(number<std::uint32_t>());  // LONG_BINGET
    case 0x63: {                                        // GLOBAL
      const std::string_view module = take_line();
      return global(module, take_line());
    }
    case 0x93: {  // STACK_GLOBAL
      const Id name = pop(), module = pop();
      if (!is(name, Kind::text) || !is(module, Kind::text)) fail("the name of a class is not text");
      return global(value(module).text, value(name).text);
    }
    case 0x52: {  // REDUCE
      const Id arguments = pop(), function = pop();
      return push(call(function, arguments, false));
    }
    case 0x81: {  // NEWOBJ
      const Id arguments = pop(), type = pop();
      return push(call(type, arguments, true));
    }
    case 0x62: return build();                  // BUILD
    case 0x51: return push(persistent(pop()));  // BINPERSID
    default: {
      constexpr char digits[] = "0123456789abcdef";
      fail({"opcode ", std::string_view(digits + (opcode >> 4), 1), std::string_view(digits + (opcode & 15), 1),
            ", which no weight file needs"});
    }
    }
  }

  [[gnu::cold]] void integer(std::int64_t number) {
    const Id made = make(Kind::integer);
    value(made).integer = number;
    push(made);
  }
  [[gnu::cold]] void long_integer(std::string_view bytes) {
    const bool negative = !bytes.empty() && (bytes.back() & 0x80) != 0;
    const unsigned char filler = negative ? 0xff : 0;
    std::uint64_t number = negative ? ~std::uint64_t(0) : 0;
    for (std::size_t i = bytes.size(); i-- > 0;) {
      const auto byte = static_cast<unsigned char>(bytes[i]);
      const bool fits = i > 7 ? byte == filler : i < 7 || (byte & 0x80u) == (filler & 0x80u);
      if (!fits) return push(make(Kind::long_integer, bytes));
      number = number << 8 | byte;
    }
    integer(static_cast<std::int64_t>(number));
  }
  [[gnu::cold]] void integer_line(std::string_view line) {
    if (line == "00" || line == "01") return push(line == "01" ? yes_ : no_);
    const bool negative = !line.empty() && line[0] == '-';
    const std::string_view digits = line.substr(negative ? 1 : 0);
    std::int64_t number = 0;
    bool good = !digits.empty();
    for (const char c : digits) {
      good = good && c >= '0' && c <= '9' && !__builtin_mul_overflow(number, 10, &number) &&
             !__builtin_sub_overflow(number, c - '0', &number);  // downwards: the smallest number has no positive twin
    }
    if (!good || (!negative && number == INT64_MIN)) fail("an int that is not a number of 64 bits");
    integer(negative ? number : -number);
  }
  [[gnu::cold]] void text(std::uint64_t count) { push(make(Kind::text, take_text(count))); }
  void collect(Kind kind, std::span<const Id> items) { push(make_with(kind, items)); }

  [[gnu::cold]] void global(std::string_view module, std::string_view name) {
    if (forbidden_global(module, name))
      fail({"names \"", printable(module), ".", printable(name),
            "\", which can run programs; no weight file needs it. Nothing in the file was run"});
    push(make(Kind::global, module, name));
  }

  [[gnu::cold]] void build() {
    const Id state = pop(), id = top();
    const bool dict_with_attributes = is(id, Kind::dict) && !value(id).name.empty();
    if (is(id, Kind::tensor)) {  // old parameters restate (tensor, requires_grad, hooks)
      if (!is(state, Kind::tuple)) fail({"the state of a tensor is ", kind_name(value(state).kind)});
    } else if (is(id, Kind::object) || (dict_with_attributes && is(state, Kind::dict))) {
      deepen(id, state);
      value(id).state = state;
    } else {
      fail({kind_name(value(id).kind), " cannot be given attributes"});
    }
  }

  /// In the old format a class can be ('module', class, source file, source text): its source is not needed.
  [[gnu::cold]] Id persistent(Id id) {
    const Ids& parts = value(id).items;
    if (is(id, Kind::tuple) && parts.size() == 4 && graph_.is_text(parts[0], "module") && is(parts[1], Kind::global))
      return parts[1];
    return make_with(Kind::persistent, {&id, 1});
  }

  [[gnu::cold]] Id call(Id function, Id arguments, bool constructing) {
    for (;;) {
      if (!is(function, Kind::global)) fail({kind_name(value(function).kind), " cannot be called"});
      if (!is(arguments, Kind::tuple)) fail({"the arguments of a call are ", kind_name(value(arguments).kind)});
      const std::span<const Id> given = value(arguments).items;  // stays where it is while values are added
      const std::string_view module = value(function).text, name = value(function).name;
      const auto need = [&](bool met) {
        if (!met) fail({"the arguments of ", module, ".", name, " have the wrong number or kind"});
      };
      spend(given.size());
      switch (permitted_call(module, name)) {
      case Call::dict: return make_dict(given, name, need);
      case Call::set: {
        need(given.empty() || (given.size() == 1 && (is(given[0], Kind::list) || is(given[0], Kind::tuple))));
        const Id set = make(Kind::set);
        if (given.empty()) return set;
        const std::span<const Id> items = value(given[0]).items;
        spend(items.size());
        for (const Id item : items) add_to_set(set, item);
        return set;
      }
      case Call::size: need(given.size() == 1 && is(given[0], Kind::tuple)); return given[0];
      case Call::tensor: {
        const Id made = make_with(Kind::tensor, given);
        value(made).name = name;
        return made;
      }
      case Call::parameter: need(!given.empty() && given.size() <= 4 && is(given[0], Kind::tensor)); return given[0];
      case Call::from_type:
        need(given.size() == 4);
        function = given[0];
        arguments = given[2];
        continue;
      case Call::plain: {
        const Id made = make_with(Kind::call, {&function, 1});
        for (const Id item : given) add(made, item);
        return made;
      }
      case Call::refused: break;
      }
      if (constructing) return make_with(Kind::object, {&function, 1});
      const bool tensor = module == "torch._utils" && name.substr(0, 9) == "_rebuild_";
      fail({"asks to call \"", printable(module), ".", printable(name),
            (tensor ? "\": tensors of this kind (sparse, quantized, meta, ..) are not read"
                    : "\"; no weight file needs it, and nothing in a file is run")});
    }
  }

  // OrderedDict(), OrderedDict([[key, value], ..]) as Python 2 wrote it, Counter({key: count}).
  template <class Need> Id make_dict(std::span<const Id> given, std::string_view name, const Need& need) {
    const Id dict = make(Kind::dict, {}, name);
    need(given.size() <= 1);
    if (given.empty()) return dict;
    const std::span<const Id> items = value(given[0]).items;
    spend(items.size());
    if (is(given[0], Kind::dict)) {
      for (std::size_t i = 0; i < items.size(); i += 2) set_item(dict, items[i], items[i + 1]);
      return dict;
    }
    need(is(given[0], Kind::list) || is(given[0], Kind::tuple));
    for (const Id pair : items) {
      need((is(pair, Kind::list) || is(pair, Kind::tuple)) && value(pair).items.size() == 2);
      const Id key = value(pair).items[0], item = value(pair).items[1];
      set_item(dict, key, item);
    }
    return dict;
  }
};

}  // namespace lamina::io::pickle
