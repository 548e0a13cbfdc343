/// Extents that tensors share, and how far each tensor steps along them: from these the index arithmetic of kernels is
/// written.
#pragma once
#include "code.hpp"
#include "kernel.hpp"
#include <vector>

namespace lamina::gpu {

/// Distances in elements between neighbours in each dimension of a tensor.
struct Strides {
  idx distance[max_rank]{};
  constexpr idx operator[](int i) const { return distance[i]; }
  constexpr idx& operator[](int i) { return distance[i]; }
};

/// True if the channels of a pixel lie side by side.
constexpr bool is_channels_last(const KernelTensor& x) { return x.layout == Layout::channels_last && x.dims.rank == 4; }

constexpr Strides strides_of(const KernelTensor& x) {
  constexpr int planar[] = {0, 1, 2, 3, 4, 5}, channels_last[] = {0, 2, 3, 1};
  const int* const slowest_first = is_channels_last(x) ? channels_last : planar;
  Strides strides;
  idx step = 1;
  for (int i = x.dims.rank - 1; i >= 0; --i) {
    strides[slowest_first[i]] = step;
    step *= x.dims[slowest_first[i]];
  }
  return strides;
}

/// Of a tensor stretched to `dims`: aligned at the last dimension, 0 where its extent is 1.
constexpr Strides broadcast_strides(const KernelTensor& x, const Dims& dims) {
  const Strides own = strides_of(x);
  Strides strides;
  for (int i = x.dims.rank - 1, to = dims.rank - 1; i >= 0 && to >= 0; --i, --to)
    strides[to] = x.dims[i] == 1 ? 0 : own[i];
  return strides;
}

/// Dimensions that are walked together, slowest first. Extents of 1 are left out.
struct Axes {
  static constexpr int most_tensors = 8, most = max_rank + 1;
  struct Axis {
    idx extent = 1;
    idx steps[most_tensors]{};  ///< of each tensor
  };
  Axis axes[most]{};
  int rank = 0, tensors = 0;

  constexpr explicit Axes(int tensors_) : tensors(tensors_) {}

  constexpr void add(const Axis& axis) {
    if (axis.extent != 1) axes[rank++] = axis;
  }
  constexpr idx size() const {
    idx n = 1;
    for (int i = 0; i < rank; ++i) n *= axes[i].extent;
    return n;
  }
  /// The step of a tensor in the fastest axis.
  constexpr idx inner_step(int tensor) const { return rank == 0 ? 0 : axes[rank - 1].steps[tensor]; }

  /// The order of a tensor's memory.
  constexpr void order_by(int tensor) {
    for (int i = 1; i < rank; ++i)
      for (int j = i; j > 0 && axes[j - 1].steps[tensor] < axes[j].steps[tensor]; --j) {
        const Axis slower = axes[j];
        axes[j] = axes[j - 1];
        axes[j - 1] = slower;
      }
  }
  /// Neighbours in which all tensors go on without a gap, or stand still, become one axis.
  constexpr void merge() {
    int kept = 0;
    for (int i = 1; i < rank; ++i) {
      bool goes_on = true;
      for (int t = 0; t < tensors; ++t) goes_on = goes_on && continues(axes[kept], axes[i], t);
      if (goes_on) {
        axes[i].extent *= axes[kept].extent;
        axes[kept] = axes[i];
      } else axes[++kept] = axes[i];
    }
    if (rank > 0) rank = kept + 1;
  }

  /// Where a tensor has the element of a number, as an expression: "i / 64 % 56 * 3136 + i % 64".
  std::string offset(int tensor, std::string_view number) const;

  static constexpr bool continues(const Axis& slower, const Axis& faster, int tensor) {
    return slower.steps[tensor] == faster.steps[tensor] * faster.extent;
  }
};

/// Which of `extent` positions an element number stands for, as an expression: "at / step % extent", simpler where it
/// can be. The slowest dimension has no modulus.
[[gnu::cold]] inline std::string position(std::string_view number, idx step, idx extent, bool slowest) {
  if (extent == 1) return "0";
  Code code;
  code << number;
  if (step != 1) code << " / " << step;
  if (!slowest) code << " % " << extent;
  return code.text;
}

[[gnu::cold]] inline std::string Axes::offset(int tensor, std::string_view number) const {
  std::string sum;
  for (int i = rank - 1; i >= 0; --i) {
    idx faster = 1, extent = axes[i].extent;
    for (int j = i + 1; j < rank; ++j) faster *= axes[j].extent;
    const idx step = axes[i].steps[tensor];
    while (i > 0 && axes[i - 1].steps[tensor] == step * extent) extent *= axes[--i].extent;
    if (step == 0) continue;
    Code term;
    term << position(number, faster, extent, i == 0);
    if (step != 1) term << " * " << step;
    if (!sum.empty()) term << " + " << sum;
    sum = term.text;
  }
  return sum.empty() ? "0" : sum;
}

/// The position of each element of a tensor along a dimension, as an expression of its number in memory.
inline std::string coordinate(const KernelTensor& x, int dim, std::string_view number) {
  const idx step = strides_of(x)[dim];
  return position(number, step, x.dims[dim], step * x.dims[dim] == count(x.dims));
}

/// The axes of a result and of operands that are stretched to it (the result is the last tensor), in the order of the
/// result's memory.
[[gnu::cold]] inline Axes axes_over(const std::vector<KernelTensor>& operands, const KernelTensor& result) {
  const int count = int(operands.size());
  Axes axes(count + 1);
  for (int d = 0; d < result.dims.rank; ++d) {
    Axes::Axis axis{.extent = result.dims[d]};
    for (int t = 0; t < count; ++t) axis.steps[t] = broadcast_strides(operands[std::size_t(t)], result.dims)[d];
    axis.steps[count] = strides_of(result)[d];
    axes.add(axis);
  }
  axes.order_by(count);
  axes.merge();
  return axes;
}

}  // namespace lamina::gpu
