/// Inputs with hashed elements, and how far results on them lie apart.
#pragma once
#include "full_size/hashed_weights.hpp"
#include <algorithm>
#include <cmath>
#include <lamina.hpp>

/// Elements from -1 to 1.
template <class Input> lamina::Tensor<float, Input> filled() {
  lamina::Tensor<float, Input> x;
  for (lamina::idx i = 0; i < x.size(); ++i) x.data()[i] = 2 * full_size::uniform(17, std::uint64_t(i)) - 1;
  return x;
}

/// The largest error, as a part of the largest element; infinite where an element is no number or extents differ.
template <class T> double largest_error(const T& y, const T& expected) {
  if (y.dims() != expected.dims()) return HUGE_VAL;
  double error = 0, scale = 0;
  for (lamina::idx i = 0; i < y.size(); ++i) {
    if (!std::isfinite(y.data()[i])) return HUGE_VAL;
    error = std::max(error, double(std::abs(y.data()[i] - expected.data()[i])));
    scale = std::max(scale, double(std::abs(expected.data()[i])));
  }
  return error / scale;
}
