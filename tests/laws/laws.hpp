/// What the law tests share: reproducible values, and how far two results are apart.
#pragma once
#include <algorithm>
#include <cmath>
#include <lamina.hpp>

namespace laws {

/// Values in [-1, 1) from a linear congruential generator.
inline void fill(std::span<float> values, std::uint32_t seed) {
  for (float& value : values) {
    seed = seed * 1664525u + 1013904223u;
    value = float(seed >> 8) * 0x1p-23f - 1;
  }
}
template <class S> void fill(lamina::Tensor<float, S>& tensor, std::uint32_t seed) { fill(tensor.span(), seed); }

/// Every parameter and buffer; variances are positive.
template <lamina::module Net> void fill(Net& net, std::uint32_t seed) {
  lamina::for_each_stored(net, [&](const lamina::Path& path, auto& parameter) {
    if constexpr (std::is_same_v<decltype(parameter.data()), float*>) {
      fill(parameter.span(), ++seed * 7919u);
      if (path.name == "running_var")
        for (float& value : parameter.span()) value = 1.5f + value;
    } else
      for (auto& value : parameter.span()) value = 1;
  });
}

/// Largest difference of elements, in units of the largest element of `b`.
template <class A, class B> double difference(const A& a, const B& b) {
  if (a.dims() != b.dims()) return INFINITY;
  double worst = 0, scale = 1e-30;
  for (lamina::idx i = 0; i < a.size(); ++i) {
    worst = std::max(worst, std::abs(double(a.data()[i]) - double(b.data()[i])));
    scale = std::max(scale, std::abs(double(b.data()[i])));
  }
  return worst / scale;
}

}  // namespace laws
