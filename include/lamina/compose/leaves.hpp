/// The children of a container: flat indexed leaves, which compile in a fraction of std::tuple's time, and the names
/// they go by.
#pragma once
#include "../core/members.hpp"
#include "../core/text.hpp"
#include <type_traits>
#include <utility>

namespace lamina {

/// A child with a name: `Sequential<named<"fc1", Linear<784, 256>>, named<"relu1", ReLU>>`.
template <fixed_string Name, class Layer> struct named { using type = Layer; };

namespace detail {
template <class T> struct child_of {
  using type = T;
  static constexpr std::string_view name{};
};
template <fixed_string Name, class Layer> struct child_of<named<Name, Layer>> {
  using type = Layer;
  static constexpr std::string_view name = Name.view();
  static_assert(!name.empty(), "lamina: a child's name is not empty");
  static_assert(name.find('.') == std::string_view::npos,
                "lamina: a child's name has no dot: dots separate the parts of a path");
};
/// The layer type of a child, with or without a name.
template <class T> using layer_t = typename child_of<T>::type;

/// A child under the name it had, with another layer.
template <class T, class Layer> struct with_layer { using type = Layer; };
template <fixed_string Name, class Old, class Layer> struct with_layer<named<Name, Old>, Layer> {
  using type = named<Name, Layer>;
};

/// Decimal text of a child's position.
template <std::size_t I> struct IndexName {
  static constexpr auto text = [] {
    Text t;
    t << idx(I);
    return t;
  }();
};

template <std::size_t I, class T> struct Leaf { T value; };
template <class Index, class... T> struct Leaves;
template <std::size_t... I, class... T> struct Leaves<std::index_sequence<I...>, T...> : Leaf<I, T>... {};
/// T... at the positions 0, 1, ...
template <class... T> using leaves_of = Leaves<std::index_sequence_for<T...>, T...>;

template <std::size_t I, class T> constexpr T& leaf(Leaf<I, T>& l) { return l.value; }
template <std::size_t I, class T> constexpr const T& leaf(const Leaf<I, T>& l) { return l.value; }

/// Folds over more operands than clang's 256 go in chunks of this size.
inline constexpr std::size_t chunk_size = 64;
}  // namespace detail

}  // namespace lamina
