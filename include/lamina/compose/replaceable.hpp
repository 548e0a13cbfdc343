/// Members of an aggregate that `replace` can exchange without a type parameter for each.
#pragma once
#include "leaves.hpp"

namespace lamina {

namespace detail {
template <class... Replaced> struct Replacements : std::type_identity<Replaced>... {};
template <fixed_string Name, class Layer> std::type_identity<Layer> replacement(const void*);
template <fixed_string Name, class Layer, class New>
std::type_identity<New> replacement(const std::type_identity<named<Name, New>>*);

/// Members named alike are looked up only where something is replaced.
template <bool Any> struct Replaceable { template <fixed_string, class Layer, class...> using type = Layer; };
template <> struct Replaceable<true> {
  template <fixed_string Name, class Layer, class... Replaced>
  using type =
      typename decltype(replacement<Name, Layer>(static_cast<const Replacements<Replaced...>*>(nullptr)))::type;
};
}  // namespace detail

/// The type of the member `Name` of a class template whose last parameters are `class... Replaced`: `Layer`, or what
/// `named<Name, Other>` in Replaced puts there.
///   template <int Width, class... Replaced> struct Block {
///     replaceable<"fc1", Linear<Width, Width>, Replaced...> fc1;
///     replaceable<"fc2", Linear<Width, Width>, Replaced...> fc2;
///     constexpr auto operator()(auto x) const { return fc2(relu(fc1(x))); }
///   };
///   auto changed = replace<"fc2">(std::move(block), Linear<8, 4>{});   // a Block<8, named<"fc2", Linear<8, 4>>>
template <fixed_string Name, class Layer, class... Replaced>
using replaceable = typename detail::Replaceable<(sizeof...(Replaced) > 0)>::template type<Name, Layer, Replaced...>;

}  // namespace lamina
