/// Distances between neighbours in each dimension of an operand.
#pragma once
#include "planes.hpp"

namespace lamina::inline LAMINA_ISA::host {

struct Strides {
  idx distance[max_rank]{};
  constexpr idx operator[](int i) const { return distance[i]; }
};

/// The operand's extents in pixels: of a blocked one [N, C/16, H, W], whose elements are 16 floats each.
template <class Pointer> constexpr Dims pixel_dims(const OperandOf<Pointer>& x) {
  if (x.layout == Layout::planar) return x.dims;
  return {x.dims[0], divide_up(x.dims[1], channel_block), x.dims[2], x.dims[3]};
}

/// Of the operand itself, in floats.
template <class Pointer> constexpr Strides strides_of(const OperandOf<Pointer>& x) {
  const Dims dims = pixel_dims(x);
  Strides s;
  for (idx i = dims.rank - 1, step = lanes_of(x); i >= 0; step *= dims[int(i--)])
    s.distance[i] = i == 0 ? x.item_stride : step;
  return s;
}

/// Of the operand stretched to `dims`: aligned at the last dimension, 0 where its extent is 1.
template <class Pointer> constexpr Strides broadcast_strides(const OperandOf<Pointer>& x, const Dims& dims) {
  const Dims extents = pixel_dims(x);
  const Strides own = strides_of(x);
  Strides s;
  for (int i = extents.rank - 1, to = dims.rank - 1; i >= 0 && to >= 0; --i, --to)
    s.distance[to] = extents[i] == 1 ? 0 : own[i];
  return s;
}

/// Distance of the element with row-major number `number` in the first `rank` dimensions of `dims`.
constexpr idx distance_to(idx number, const Dims& dims, int rank, const Strides& strides) {
  idx distance = 0;
  for (int i = rank - 1; i >= 0; number /= dims[i--]) distance += number % dims[i] * strides[i];
  return distance;
}

}  // namespace lamina::inline LAMINA_ISA::host
