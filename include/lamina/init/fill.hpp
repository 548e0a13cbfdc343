/// Values for parameters: torch.nn.init.uniform_, normal_, constant_, zeros_, ones_. The first write to a parameter
/// gives it memory.
#pragma once
#include "../tensor/parameter.hpp"
#include "generator.hpp"
#include <cmath>

namespace lamina {

namespace detail {
/// What can be filled: a parameter, a buffer or a tensor.
template <class P>
concept fillable = requires(P& p) {
  p.span();
  typename P::value_type;
};

/// Sixteen numbers from [0, 1) become sixteen normal ones: number j and j + 8 are a pair of Box and Muller's.
template <class T> void make_normal_16(T* x, T mean, T std) {
  for (int j = 0; j < 8; ++j) {
    const T u1 = 1 - x[j], u2 = x[j + 8];  // from (0, 1]: its logarithm is finite
    const T radius = std::sqrt(-2 * std::log(u1)), angle = T(2 * std::numbers::pi) * u2;
    x[j] = radius * std::cos(angle) * std + mean;
    x[j + 8] = radius * std::sin(angle) * std + mean;
  }
}
}  // namespace detail

/// Numbers from a to b. PyTorch: nn.init.uniform_(tensor, a=0.0, b=1.0, generator), the same bits.
template <detail::fillable P> void uniform_(P& parameter, Generator& generator, double a = 0, double b = 1) {
  using T = typename P::value_type;
  for (T& value : parameter.span()) value = generator.uniform<T>(T(a), T(b));
}

/// Normally distributed numbers. PyTorch: nn.init.normal_(tensor, mean=0.0, std=1.0, generator). Fewer than 16 numbers
/// are drawn in double precision; 16 and more in blocks of 16 (the last, if it is shorter, is drawn anew together with
/// what lies before it), whose logarithms and sines differ from those of PyTorch's vector kernels in the last bits.
template <detail::fillable P> void normal_(P& parameter, Generator& generator, double mean = 0, double std = 1) {
  using T = typename P::value_type;
  const auto values = parameter.span();
  if (values.size() < 16) {
    for (T& value : values) value = T(generator.normal(mean, std));
    return;
  }
  for (T& value : values) value = generator.uniform<T>();
  for (std::size_t i = 0; i + 16 <= values.size(); i += 16) detail::make_normal_16(&values[i], T(mean), T(std));
  if (values.size() % 16 == 0) return;
  T* const last = &values[values.size() - 16];
  for (int i = 0; i < 16; ++i) last[i] = generator.uniform<T>();
  detail::make_normal_16(last, T(mean), T(std));
}

/// One number everywhere. PyTorch: nn.init.constant_(tensor, val).
template <detail::fillable P> void constant_(P& parameter, double value) {
  for (auto& element : parameter.span()) element = typename P::value_type(value);
}
/// PyTorch: nn.init.zeros_.
template <detail::fillable P> void zeros_(P& parameter) { constant_(parameter, 0); }
/// PyTorch: nn.init.ones_.
template <detail::fillable P> void ones_(P& parameter) { constant_(parameter, 1); }

}  // namespace lamina
