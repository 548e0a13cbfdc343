/// Members of an aggregate, as references. Boost.PFR counts them; the bindings are lamina's own, since those of
/// boost/pfr/core.hpp, for 200 members, cost every program 30 MB and 0.3 s with g++.
#pragma once
#include "../core/text.hpp"
#include <boost/pfr/tuple_size.hpp>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace lamina::detail {

/// Most members of an aggregate.
inline constexpr std::size_t most_aggregate_members = 64;

/// A call with the members of an aggregate that has `N`.
template <std::size_t N> struct Unbound;
template <> struct Unbound<0> {
  template <class T, class F> static constexpr decltype(auto) visit(T&, F&& f) { return f(); }
};

#define LAMINA_BIND(n, ...)                                                                                            \
  template <> struct Unbound<n> {                                                                                      \
    template <class T, class F> static constexpr decltype(auto) visit(T& object, F&& f) {                              \
      auto& [__VA_ARGS__] = object;                                                                                    \
      return f(__VA_ARGS__);                                                                                           \
    }                                                                                                                  \
  };
#define LAMINA_EIGHT(m) m##1, m##2, m##3, m##4, m##5, m##6, m##7, m##8
/// Of n + 1 to n + 8 members: those given, and then up to eight that begin with `m`.
#define LAMINA_BIND_EIGHT(n, m, ...)                                                                                   \
  LAMINA_BIND(n + 1, __VA_ARGS__ m##1)                                                                                 \
  LAMINA_BIND(n + 2, __VA_ARGS__ m##1, m##2)                                                                           \
  LAMINA_BIND(n + 3, __VA_ARGS__ m##1, m##2, m##3)                                                                     \
  LAMINA_BIND(n + 4, __VA_ARGS__ m##1, m##2, m##3, m##4)                                                               \
  LAMINA_BIND(n + 5, __VA_ARGS__ m##1, m##2, m##3, m##4, m##5)                                                         \
  LAMINA_BIND(n + 6, __VA_ARGS__ m##1, m##2, m##3, m##4, m##5, m##6)                                                   \
  LAMINA_BIND(n + 7, __VA_ARGS__ m##1, m##2, m##3, m##4, m##5, m##6, m##7)                                             \
  LAMINA_BIND(n + 8, __VA_ARGS__ LAMINA_EIGHT(m))
LAMINA_BIND_EIGHT(0, a, )
LAMINA_BIND_EIGHT(8, b, LAMINA_EIGHT(a), )
LAMINA_BIND_EIGHT(16, c, LAMINA_EIGHT(a), LAMINA_EIGHT(b), )
LAMINA_BIND_EIGHT(24, d, LAMINA_EIGHT(a), LAMINA_EIGHT(b), LAMINA_EIGHT(c), )
LAMINA_BIND_EIGHT(32, e, LAMINA_EIGHT(a), LAMINA_EIGHT(b), LAMINA_EIGHT(c), LAMINA_EIGHT(d), )
LAMINA_BIND_EIGHT(40, f, LAMINA_EIGHT(a), LAMINA_EIGHT(b), LAMINA_EIGHT(c), LAMINA_EIGHT(d), LAMINA_EIGHT(e), )
LAMINA_BIND_EIGHT(48, g, LAMINA_EIGHT(a), LAMINA_EIGHT(b), LAMINA_EIGHT(c), LAMINA_EIGHT(d), LAMINA_EIGHT(e),
                  LAMINA_EIGHT(f), )
LAMINA_BIND_EIGHT(56, h, LAMINA_EIGHT(a), LAMINA_EIGHT(b), LAMINA_EIGHT(c), LAMINA_EIGHT(d), LAMINA_EIGHT(e),
                  LAMINA_EIGHT(f), LAMINA_EIGHT(g), )
#undef LAMINA_BIND_EIGHT
#undef LAMINA_EIGHT
#undef LAMINA_BIND

/// The number of an aggregate's members.
template <class T> constexpr std::size_t aggregate_size() {
  constexpr std::size_t n = boost::pfr::tuple_size_v<T>;
  if constexpr (n <= most_aggregate_members) return n;
  else {
    fail<Text{} << class_name<T>() << " has " << idx(n) << " members, more than the " << idx(most_aggregate_members)
                << " that an aggregate may have: list them with LAMINA_MEMBERS(...)",
         T>();
    return 0;
  }
}

/// f(members...).
template <class T, class F> constexpr decltype(auto) visit_aggregate(T& object, F&& f) {
  return Unbound<aggregate_size<std::remove_const_t<T>>()>::visit(object, f);
}

/// Pointers to all members, of which pointer<I> is one.
template <std::size_t I, class M> struct PointerTo { M* to; };
template <class Index, class... M> struct Pointers;
template <std::size_t... I, class... M> struct Pointers<std::index_sequence<I...>, M...> : PointerTo<I, M>... {};
template <std::size_t I, class M> constexpr M* pointer(const PointerTo<I, M>& member) { return member.to; }
struct PointersTo {
  template <class... M> constexpr auto operator()(M&... members) const {
    return Pointers<std::index_sequence_for<M...>, M...>{{&members}...};
  }
};

}  // namespace lamina::detail
