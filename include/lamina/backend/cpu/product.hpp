/// Products of many pixels by all output channels: blocks for the caches, threads, and the epilogue.
#pragma once
#include "activation.hpp"
#include "micro.hpp"
#include "planes.hpp"

namespace lamina::inline LAMINA_ISA::cpu {

/// A reference to a function object, so that what takes it is compiled once.
template <class... Arguments> class Callback {
  const void* object;
  void (*call)(const void*, Arguments...);

 public:
  template <class F>
  Callback(const F& f)
      : object(&f), call([](const void* o, Arguments... arguments) { (*static_cast<const F*>(o))(arguments...); }) {}
  void operator()(Arguments... arguments) const { call(object, arguments...); }
};

/// Blocks of input channels that a group of output channels reads.
struct BlockRange {
  idx first, count;
};

/// How channels are connected: all with all, or within groups.
class Channels {
  idx needed_blocks = 1;  // blocks of input channels that a group of output channels reads

  constexpr BlockRange needed(idx g) const {
    const idx group_in = in / groups, group_out = out / groups;
    const idx begin = g * group_channels / group_out * group_in / run;
    const idx end = (min((g + 1) * group_channels, out) - 1) / group_out + 1;
    return {begin, divide_up(end * group_in, run) - begin};
  }

 public:
  idx in = 1, out = 1, groups = 1;
  idx run = channel_block;  ///< input channels in a block

  constexpr Channels() = default;
  constexpr Channels(idx in_channels, idx out_channels, idx conv_groups, idx block)
      : in(in_channels), out(out_channels), groups(conv_groups), run(block) {
    if (groups == 1) needed_blocks = max(1, divide_up(in, run));
    else
      for (idx g = 0; g < out_groups(); ++g) needed_blocks = max(needed_blocks, needed(g).count);
  }

  constexpr idx out_blocks() const { return divide_up(out, channel_block); }
  constexpr idx out_groups() const { return divide_up(out, group_channels); }
  /// Output channels of group g, filled up to whole blocks.
  constexpr idx lanes(idx g) const { return min(group_channels, out_blocks() * channel_block - g * group_channels); }
  /// Input channels in a block.
  constexpr idx run_of(idx block) const { return min(run, in - block * run); }
  /// The blocks that group g reads. All groups read the same number, some of them with weights of zero.
  constexpr BlockRange blocks_of(idx g) const {
    return {groups == 1 ? 0 : min(needed(g).first, divide_up(in, run) - needed_blocks), needed_blocks};
  }
  /// Weights of one tap between groups of output channels.
  constexpr idx group_weights() const { return min(needed_blocks * run, in) * lanes(0); }
  /// Weights of one tap.
  constexpr idx weights() const { return out_groups() * group_weights(); }
};

/// y[pixel, o] = activation(bias[o] + residual[pixel, o] + sum over taps and c of x[pixel, tap, c] * weight[tap, c, o])
struct Product {
  idx pixels = 0;
  int taps = 1;
  Channels channels{};
  idx from_step = 0;                               ///< floats between blocks of input channels
  const float *weight = nullptr, *bias = nullptr;  ///< packed (pack.hpp); the bias is filled up to whole blocks
  bool residual = false;
  idx to_step = 0;           ///< floats between blocks of output channels
  bool whole_blocks = true;  ///< the result has room for whole blocks
  ops::Activation activation{};
  float* scratch = nullptr;  ///< product_scratch(taps) floats a thread
  int threads = 1;
};

/// The addresses of a tile's pixels: [taps][pixels], [pixels], [pixels].
struct Addresses {
  const float** from;
  float** to;
  const float** residual;
};
/// Fills the addresses of the pixels `first`, `first` + 1, ...: as many as the tile has, behind the last one it again.
using Locate = Callback<idx, int, const Addresses&>;

/// Floats of scratch for a thread's table of addresses.
constexpr idx product_scratch(idx taps) { return taps * register_tile.pixels * idx(sizeof(void*) / sizeof(float)); }

namespace detail {
// Weights that are at most this large stay in the L2 cache while pixels go by; larger ones go by in slabs.
// Of the input, as many tiles go by as stay there beside a slab.
inline constexpr idx resident_floats = 72 * 1024, slab_floats = 40 * 1024, block_floats = 32 * 1024;

/// The tile where the result has no room for a whole block: computed aside and copied.
LAMINA_ONE_COPY inline void run_partial_tile(Tile tile, int pixels, idx blocks, idx channels) {
  float sums[register_tile.pixels][group_channels], residuals[register_tile.pixels][group_channels];
  float* to[register_tile.pixels];
  const float* residual[register_tile.pixels];
  const idx offset = tile.to_offset;
  for (int p = 0; p < pixels; ++p) {
    to[p] = sums[p];
    residual[p] = residuals[p];
    if (!tile.bias) copy_row(tile.to[p] + offset, sums[p], channels);
    if (tile.residual) copy_row(tile.residual[p] + offset, residuals[p], channels);
  }
  float* const* const target = tile.to;
  tile.to = to;
  if (tile.residual) tile.residual = residual;
  tile.to_offset = 0;
  tile.to_step = channel_block;
  run_tile(tile, pixels, blocks);
  for (int p = 0; p < pixels; ++p) copy_row(sums[p], target[p] + offset, channels);
}
}  // namespace detail

/// Computes the product. What a thread computes is divided among them so that every element is summed up in the same
/// order, whatever their number.
LAMINA_ONE_COPY inline void multiply(const Product& p, const Locate& locate) {
  const Channels& channels = p.channels;
  const idx groups = channels.out_groups(), tiles = divide_up(p.pixels, register_tile.pixels);
  const idx group_weights = channels.group_weights() * p.taps;
  const bool resident = group_weights * groups <= detail::resident_floats;
  const BlockRange all = channels.blocks_of(0);
  const idx block_weights = group_weights / all.count;
  const idx chunk = resident ? all.count : min(all.count, max(1, detail::slab_floats / max(1, block_weights)));
  const idx block_tiles = max(4, detail::block_floats / (register_tile.pixels * max(1, channels.in)));
  const bool relu = p.activation.kind == ops::Activation::Kind::relu;
  const bool by_groups = !resident && groups % p.threads == 0;
  const idx parts = min(p.threads, by_groups ? groups : tiles);

  threads::run(int(parts), [&](int part) {
    const Share own_groups(groups, by_groups ? part : 0, by_groups ? int(parts) : 1);
    const Share own_tiles(tiles, by_groups ? 0 : part, by_groups ? 1 : int(parts));
    const float** const from = reinterpret_cast<const float**>(p.scratch + part * product_scratch(p.taps));
    float* to[register_tile.pixels];
    const float* residual[register_tile.pixels];
    const Addresses addresses{from, to, residual};
    Tile tile{.from = from, .from_step = p.from_step, .taps = p.taps, .to = to, .to_step = p.to_step};

    const auto start = [&](idx t) {
      const idx first = t * register_tile.pixels;
      const int pixels = tile_pixels(p.pixels - first);
      locate(first, pixels, addresses);
      return pixels;
    };
    const auto compute = [&](int pixels, idx g, idx done, idx blocks) {
      const BlockRange range = channels.blocks_of(g);
      const bool first = done == 0, last = done + blocks == range.count;
      const idx out_blocks = min(register_tile.group_blocks, channels.out_blocks() - g * register_tile.group_blocks);
      tile.first_block = range.first + done;
      tile.blocks = blocks;
      tile.run = channels.run;
      tile.last_run = channels.run_of(tile.first_block + blocks - 1);
      tile.weight = p.weight + g * group_weights + done * p.taps * channels.run * out_blocks * channel_block;
      tile.bias = first ? p.bias + g * group_channels : nullptr;
      tile.residual = first && p.residual ? residual : nullptr;
      tile.to_offset = g * register_tile.group_blocks * p.to_step;
      tile.relu = relu && last;
      const idx room = min(group_channels, channels.out - g * group_channels);
      if (p.whole_blocks || room == out_blocks * channel_block) run_tile(tile, pixels, out_blocks);
      else detail::run_partial_tile(tile, pixels, out_blocks, room);
      if (!last || relu || p.activation.kind == ops::Activation::Kind::identity) return;
      for (int i = 0; i < pixels && (i == 0 || to[i] != to[i - 1]); ++i)
        for (idx b = 0; b < out_blocks; ++b) {
          float* y = to[i] + tile.to_offset + b * p.to_step;
          activate(p.activation, y, y, p.whole_blocks ? channel_block : min(channel_block, room - b * channel_block));
        }
    };
    if (resident) {
      for (idx t = own_tiles.begin; t < own_tiles.end; ++t) {
        const int pixels = start(t);
        for (idx g = 0; g < groups; ++g) compute(pixels, g, 0, chunk);
      }
      return;
    }
    for (idx block = own_tiles.begin; block < own_tiles.end; block += block_tiles)
      for (idx g = own_groups.begin; g < own_groups.end; ++g)
        for (idx done = 0; done < all.count; done += chunk)
          for (idx t = block; t < min(own_tiles.end, block + block_tiles); ++t)
            compute(start(t), g, done, min(chunk, all.count - done));
  });
}

}  // namespace lamina::inline LAMINA_ISA::cpu
