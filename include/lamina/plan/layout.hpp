/// How the elements of a value lie in memory.
#pragma once
#include "../core/shape.hpp"

namespace lamina {

/// planar: row-major [N, C, H, W]. blocked: [N, C/16, H, W, 16], the channels of a block side by side, the last block
/// filled up.
enum class Layout : unsigned char { planar, blocked };

/// What an operation wants of its operands, and what it makes.
struct Layouts {
  Layout operands = Layout::planar, result = Layout::planar;
};

/// Channels in a block.
inline constexpr idx channel_block = 16;

constexpr idx round_up(idx n, idx multiple) { return (n + multiple - 1) / multiple * multiple; }

/// Elements of one item (an index of dimension 0) in a layout.
constexpr idx item_elements(const Dims& dims, Layout layout) {
  if (layout == Layout::planar || dims.rank < 2) return product(dims, 1, dims.rank);
  return round_up(dims[1], channel_block) * product(dims, 2, dims.rank);
}

/// Elements of a tensor in a layout.
constexpr idx elements(const Dims& dims, Layout layout) {
  return layout == Layout::planar ? count(dims) : dims[0] * item_elements(dims, layout);
}

/// True if both layouts are the same order of elements: one pixel, whole blocks of channels.
constexpr bool layouts_agree(const Dims& dims) {
  return dims.rank == 4 && dims[2] * dims[3] == 1 && dims[1] % channel_block == 0;
}

/// Items of a tensor: the extent of dimension 0, 1 for a scalar.
constexpr idx item_count(const Dims& dims) { return dims.rank == 0 ? 1 : dims[0]; }

}  // namespace lamina
