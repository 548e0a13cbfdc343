/// Names of an aggregate's members, from the text in which the compiler spells the address of one.
/// boost/pfr/core_name.hpp has the same, but includes <memory>: 0.3 s of every program with g++, 0.6 s with clang.
#pragma once
#include "aggregate.hpp"
#include <string_view>

namespace lamina::detail {

/// An object that is never made; its members have addresses all the same.
template <class T> struct Unmade { const T object; };
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-var-template"
#pragma clang diagnostic ignored "-Wundefined-internal"
#endif
template <class T> extern const Unmade<T> unmade;

/// A pointer inside an object: clang up to 16 takes no address of a member as a template argument itself.
template <class T> struct Address { const T* of; };
template <class T> Address(const T*) -> Address<T>;

/// The text ends in the member's name and in brackets: `... [with Address A = {&unmade<Net>.object.fc}]`.
template <Address A> constexpr auto spelled() {
  constexpr std::string_view text = __PRETTY_FUNCTION__;
  constexpr auto in_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
           static_cast<unsigned char>(c) >= 0x80;
  };
  constexpr std::size_t end = [&] {
    std::size_t i = text.size();
    while (!in_name(text[i - 1])) --i;
    return i;
  }();
  constexpr std::size_t begin = [&] {
    std::size_t i = end;
    while (in_name(text[i - 1])) --i;
    return i;
  }();
  fixed_string<end - begin + 1> name;
  for (std::size_t i = begin; i < end; ++i) name.chars[i - begin] = text[i];
  return name;
}
template <std::size_t I, class T>
inline constexpr auto aggregate_member_text = spelled<Address{pointer<I>(visit_aggregate(unmade<T>.object, PointersTo{}))}>();
#if defined(__clang__)
#pragma clang diagnostic pop
#endif

/// The name of member number `I` of an aggregate.
template <std::size_t I, class T> constexpr std::string_view aggregate_member_name() {
  return aggregate_member_text<I, T>.view();
}

}  // namespace lamina::detail
