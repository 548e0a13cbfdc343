/// Parameters in the order and type in which cuDNN and our kernels read them, a batch norm folded in.
#pragma once
#include "../../plan/producer_weights.hpp"
#include "lower.hpp"
#include <vector>

namespace lamina::gpu {

/// A step's weight may be of 16 bits.
constexpr Dtype weight_type(const planning::Step& step, const CompileOptions& options) {
  if (step.method == 0) return Dtype::float32;
  return options.precision == Precision::float16 ? Dtype::float16 : Dtype::bfloat16;
}

namespace detail {
/// A filter in PyTorch's order: [rows][columns][taps]; output channels are rows, of transposed convolutions columns.
struct FilterView {
  idx rows, columns, taps;
  bool transposed;
  idx group_rows;  ///< of a transposed convolution: rows of a group

  constexpr idx out_channel(idx row, idx column) const {
    return transposed ? row / group_rows * columns + column : row;
  }
};
constexpr FilterView filter_of(const Operation& operation) {
  const Dims f = filter_dims(operation);
  const bool transposed = is<ops::ConvTranspose2d>(operation);
  const idx groups = transposed ? as<ops::ConvTranspose2d>(operation).groups : 1;
  return {f[0], f[1], f[2] * f[3], transposed, f[0] / groups};
}

inline void put(float value, Dtype dtype, std::byte* to, idx i) {
  if (dtype == Dtype::float32) reinterpret_cast<float*>(to)[i] = value;
  else if (dtype == Dtype::float16) reinterpret_cast<float16*>(to)[i] = float16(value);
  else reinterpret_cast<bfloat16*>(to)[i] = bfloat16(value);
}
}  // namespace detail

/// Writes a producer's filter to `weight`, channels last: [K][R][S][C / groups], of a transposed convolution
/// [C][R][S][K / groups], of a linear layer [K][C]; and its bias, zeros where it has none, to `bias`.
inline void pack_producer(const Operation& operation, const ProducerWeights& values, Dtype dtype, std::byte* weight,
                          float* bias) {
  const detail::FilterView f = detail::filter_of(operation);
  const idx channels = f.transposed ? f.rows / f.group_rows * f.columns : f.rows;
  std::vector<double> factors(static_cast<std::size_t>(channels));
  for (idx o = 0; o < channels; ++o) {
    factors[std::size_t(o)] = values.factor(o);
    bias[o] = float(values.shift(o));
  }
  idx i = 0;
  for (idx row = 0; row < f.rows; ++row)
    for (idx tap = 0; tap < f.taps; ++tap)
      for (idx column = 0; column < f.columns; ++column, ++i) {
        const double factor = factors[std::size_t(f.out_channel(row, column))];
        detail::put(float(factor * double(values.weight[(row * f.columns + column) * f.taps + tap])), dtype, weight, i);
      }
}

}  // namespace lamina::gpu
