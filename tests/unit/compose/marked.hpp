/// Layers that can be told from others.
#pragma once
#include <lamina/layers/linear.hpp>
#include <type_traits>

/// A layer whose first weight is `mark`.
template <int In, int Out> lamina::Linear<In, Out> marked(float mark) {
  lamina::Linear<In, Out> layer;
  layer.weight.data()[0] = mark;
  return layer;
}
template <class Layer> float mark(const Layer& layer) { return layer.weight.data()[0]; }

using A = lamina::Linear<4, 8>;
using B = lamina::Linear<8, 2>;
using C = lamina::Linear<2, 1>;
template <class Expected, class T> constexpr bool is_a(const T&) { return std::is_same_v<Expected, T>; }
