/// How the elements of a value lie in memory.
#pragma once
#include "../core/shape.hpp"
#include <string_view>

namespace lamina {

/// planar: row-major [N, C, H, W]. blocked: [N, C/16, H, W, 16], the channels of a block side by side, the last block
/// filled up. paired: [N, C/32, H, W, 16] of words, each two channels as bfloat16, the even one in the lower half: to
/// what only moves words it is a blocked tensor of half as many channels. On GPUs, channels_last: [N, H, W, C] of rank
/// 4, else row-major; halves: the same of 16-bit elements, an item rounded up to whole words.
enum class Layout : unsigned char { planar, blocked, paired, channels_last, halves };
inline constexpr int layout_count = 5;

/// For people: "blocked".
constexpr std::string_view layout_name(Layout layout) {
  constexpr std::string_view names[] = {"planar", "blocked", "paired", "channels_last", "halves"};
  return names[int(layout)];
}

/// What an operation wants of its operands, and what it makes.
struct Layouts {
  Layout operands = Layout::planar, result = Layout::planar;
};

/// Elements of a pixel in a block: the channels of a blocked one.
inline constexpr idx channel_block = 16;

/// Channels in a block.
constexpr idx block_channels(Layout layout) { return layout == Layout::paired ? 2 * channel_block : channel_block; }

constexpr idx round_up(idx n, idx multiple) { return (n + multiple - 1) / multiple * multiple; }

/// Elements of one item (an index of dimension 0) in a layout: floats, or words of the same size.
constexpr idx item_elements(const Dims& dims, Layout layout) {
  const bool blocks = layout == Layout::blocked || layout == Layout::paired;
  if (layout == Layout::halves) return (product(dims, 1, dims.rank) + 1) / 2;
  if (!blocks || dims.rank < 2) return product(dims, 1, dims.rank);
  const idx channels = block_channels(layout);
  return (dims[1] + channels - 1) / channels * channel_block * product(dims, 2, dims.rank);
}

/// Items of a tensor: the extent of dimension 0, 1 for a scalar.
constexpr idx item_count(const Dims& dims) { return dims.rank == 0 ? 1 : dims[0]; }

/// Elements of a tensor in a layout.
constexpr idx elements(const Dims& dims, Layout layout) { return item_count(dims) * item_elements(dims, layout); }

/// True if both layouts are the same elements in the same order: floats of one pixel, blocks of channels being whole,
/// or of one channel; channels_last differs from planar in rank 4 only.
constexpr bool layouts_agree(const Dims& dims, Layout a, Layout b) {
  if (a == b) return true;
  if (a == Layout::paired || b == Layout::paired || a == Layout::halves || b == Layout::halves) return false;
  if (a == Layout::channels_last || b == Layout::channels_last)
    return dims.rank != 4 || dims[1] == 1 || dims[2] * dims[3] == 1;
  return dims.rank == 4 && dims[2] * dims[3] == 1 && dims[1] % channel_block == 0;
}

}  // namespace lamina
