/// Products of many pixels by all output channels: blocks for the caches, threads, and the epilogue.
#pragma once
#include "activation.hpp"
#include "micro.hpp"
#include "planes.hpp"

namespace lamina::inline LAMINA_ISA::host {

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

/// run_tile for the elements of a product.
using TileKernel = void (*)(const Tile&, int pixels, idx blocks);

/// activate() for pairs of bfloat16.
using ActivatePairs = void (*)(const ops::Activation&, const bfloat16* x, bfloat16* y, idx n);
template <class Elements> constexpr ActivatePairs activate_pairs_of() {
  if constexpr (Elements::in_word == 2) return activate;
  else return nullptr;
}

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
  TileKernel kernel = run_tile<>;
  /// Where the result, and the residual, are pairs of bfloat16: what activates them. Null: they are floats.
  ActivatePairs activate_pairs = nullptr;
  ops::Activation activation{};
  float* scratch = nullptr;  ///< product_scratch(channels, taps) floats a thread
  int threads = 1;
};

/// The addresses of a tile's pixels: [taps][pixels], [pixels], [pixels].
struct Addresses {
  const float** from;
  float** to;
  const float** residual;
};
/// Fills the addresses of the pixels `first`, `first` + 1, ...: as many as the tile has, behind the last one it again.
using Locate = lamina::detail::Callback<idx, int, const Addresses&>;

/// Floats of scratch for the addresses of a tile.
constexpr idx address_floats(idx taps) {
  return (taps + 2) * register_tile.pixels * idx(sizeof(void*) / sizeof(float));
}

namespace detail {
// Of the weights of a group, a slab of so many floats stays in the L2 cache while the tiles of a block go by, and of
// the input, a block of so many. Each slab is read once a block: blocks are large where weights are.
inline constexpr idx slab_floats = 40 * 1024, block_floats = 64 * 1024;
// Nor are more terms than these summed up in registers before they are added to what memory holds: the rounding errors
// of a long sum grow with the length of its parts (docs/cpu.md). Of a window it is one block of channels: 3 x 3 x 16.
inline constexpr idx slab_terms = 576, window_terms = 144;
// Tiles of a block at most: their addresses are found once and kept.
inline constexpr idx most_tiles = 32;

/// How a product goes through the caches.
struct Blocking {
  idx tile_floats;  ///< of the input, in a tile
  idx tiles;        ///< tiles of a block, at most
  bool copied;      ///< a block's input is copied: side by side it is read without conflicts, and ahead of its use

  constexpr Blocking(const Channels& channels, idx taps)
      : tile_floats(register_tile.pixels * max(1, channels.blocks_of(0).count * channels.run)),
        tiles(min(most_tiles, max(4, block_floats / tile_floats))),
        copied(taps == 1 && channels.run == channel_block && channels.out >= 8 * channel_block &&
               channels.groups == 1) {}
  constexpr idx copy_floats() const { return copied ? tiles * tile_floats : 0; }
};

/// The tile where the result has no room for a whole block: computed aside and copied.
LAMINA_ONE_COPY inline void run_partial_tile(TileKernel kernel, Tile tile, int pixels, idx blocks, idx channels) {
  float sums[register_tile.pixels][group_channels], residuals[register_tile.pixels][group_channels];
  float* to[register_tile.pixels];
  const float* residual[register_tile.pixels];
  const idx offset = tile.to_offset;
  for (int p = 0; p < pixels; ++p) {
    to[p] = sums[p];
    residual[p] = residuals[p];
    if (tile.adds) copy_row(tile.to[p] + offset, sums[p], channels);
    if (tile.residual) copy_row(tile.residual[p] + offset, residuals[p], channels);
  }
  float* const* const target = tile.to;
  tile.to = to;
  if (tile.residual) tile.residual = residual;
  tile.to_offset = 0;
  tile.to_step = channel_block;
  kernel(tile, pixels, blocks);
  for (int p = 0; p < pixels; ++p) copy_row(sums[p], target[p] + offset, channels);
}
}  // namespace detail

/// Floats of scratch that a product takes for each thread: copies and addresses of a block of tiles.
constexpr idx product_scratch(const Channels& channels, idx taps) {
  const detail::Blocking blocking(channels, taps);
  return round_up(blocking.tiles * address_floats(taps), cache_line) + blocking.copy_floats();
}

namespace detail {
/// A product as pieces of work: a group of output channels each, for a block of tiles, block by block.
struct Division {
  idx tiles, blocks, groups;

  constexpr Division(const Product& p, const Blocking& blocking)
      : tiles(divide_up(p.pixels, register_tile.pixels)), blocks(divide_up(tiles, blocking.tiles)),
        groups(p.channels.out_groups()) {
    if (p.threads > 1) blocks = max(blocks, min(tiles, divide_up(4 * p.threads, groups)));
  }
  constexpr idx pieces() const { return blocks * groups; }
  constexpr idx first_tile(idx block) const { return tiles * block / blocks; }
};

/// What one thread computes of a product, piece by piece: the tiles of a block by slabs of a group's weights.
class ProductRun {
  const Product& p;
  const Locate& locate;
  const Division& division;
  Blocking blocking;
  idx group_weights = p.channels.group_weights() * p.taps;
  const float** table;       // [tiles of a block]: the addresses of each
  float* copy;               // [tiles of a block][blocks][pixels][16]
  idx first = 0, count = 0;  // the tiles of the block

  idx first_pixel(idx t) const { return (first + t) * register_tile.pixels; }
  int pixels(idx t) const { return tile_pixels(p.pixels - first_pixel(t)); }
  static Addresses addresses(const float** from, int taps) {
    const float** const residual = from + taps * register_tile.pixels;
    return {from, const_cast<float**>(residual + register_tile.pixels), residual};
  }
  Addresses addresses(idx t) const { return addresses(table + t * (p.taps + 2) * register_tile.pixels, p.taps); }

  void copy_tile(const Addresses& a, int pixels, float* to) const {
    for (idx b = 0; b < p.channels.blocks_of(0).count; ++b)
      for (int i = 0; i < pixels; ++i)
        if (a.from[i])
          copy_row(a.from[i] + b * p.from_step, to + (b * register_tile.pixels + i) * channel_block, channel_block);
    for (int i = 0; i < pixels; ++i)
      if (a.from[i]) a.from[i] = to + i * channel_block;
  }

  void locate_block() const {
    for (idx t = 0; t < count; ++t) {
      locate(first_pixel(t), pixels(t), addresses(t));
      if (blocking.copied) copy_tile(addresses(t), pixels(t), copy + t * blocking.tile_floats);
    }
  }

  void run_group(idx g) const {
    const Channels& channels = p.channels;
    const BlockRange range = channels.blocks_of(g);
    const idx out_blocks = channels.lanes(g) / channel_block,
              room = min(group_channels, channels.out - g * group_channels);
    const bool whole = p.whole_blocks || room == channels.lanes(g), residual = p.residual,
               relu = p.activation.kind == ops::Activation::Kind::relu,
               other = !relu && p.activation.kind != ops::Activation::Kind::identity;
    const int last_pixels = pixels(count - 1);
    const idx block_weights = group_weights / range.count, by_size = slab_floats / max(1, block_weights),
              by_terms = (p.taps > 1 ? window_terms : slab_terms) / max(1, p.taps * channels.run);
    // The sums of slabs are added up in the result, which has the precision for it if it is of floats.
    const idx slab = p.activate_pairs ? range.count : max(1, min(by_size, by_terms));
    const idx channel = g * group_channels, block = p.activate_pairs ? 2 * channel_block : channel_block;
    Tile tile{.from_step = blocking.copied ? register_tile.pixels * channel_block : p.from_step,
              .taps = p.taps,
              .run = channels.run,
              .weight = p.weight + g * group_weights,
              .to_offset = channel / block * p.to_step + channel % block / 2,
              .to_step = p.to_step,
              .bias = p.bias + g * group_channels};
    for (idx done = 0; done < range.count; done += slab) {
      const bool last = done + slab >= range.count;
      tile.first_block = range.first + done;
      tile.blocks = min(slab, range.count - done);
      tile.last_run = channels.run_of(tile.first_block + tile.blocks - 1);
      tile.relu = relu && last;
      const idx floats = tile.blocks * p.taps * channels.run * channels.lanes(g);
      tile.fetch_ahead(tile.weight + floats, floats, count);
      const float** from = table;
      for (idx rest = count; rest > 0; --rest, from += (tile.taps + 2) * register_tile.pixels, tile.next()) {
        const Addresses a = addresses(from, tile.taps);
        const int pixels = rest > 1 ? register_tile.pixels : last_pixels;
        tile.from = a.from;
        tile.to = a.to;
        tile.residual = residual && done == 0 ? a.residual : nullptr;
        if (whole) p.kernel(tile, pixels, out_blocks);
        else run_partial_tile(p.kernel, tile, pixels, out_blocks, room);
        if (last && other) activate_tile(a, pixels, tile.to_offset, out_blocks, room);
      }
      tile.weight += floats;
      tile.bias = nullptr;
      tile.adds = true;
    }
  }

  void activate_tile(const Addresses& a, int pixels, idx offset, idx blocks, idx room) const {
    for (int i = 0; i < pixels && (i == 0 || a.to[i] != a.to[i - 1]); ++i)
      if (p.activate_pairs) {
        bfloat16* const y = Pairs::in(a.to[i] + offset);
        p.activate_pairs(p.activation, y, y, blocks * channel_block);
      } else
        for (idx b = 0; b < blocks; ++b) {
          float* y = a.to[i] + offset + b * p.to_step;
          activate(p.activation, y, y, p.whole_blocks ? channel_block : min(channel_block, room - b * channel_block));
        }
  }

 public:
  ProductRun(const Product& product, const Locate& where, const Division& pieces, float* scratch)
      : p(product), locate(where), division(pieces), blocking(product.channels, product.taps),
        table(reinterpret_cast<const float**>(scratch + blocking.copy_floats())), copy(scratch) {}

  void operator()(threads::Work& pieces) {
    idx located = -1;
    for (const idx piece : pieces) {
      if (const idx block = piece / division.groups; block != located) {
        located = block;
        first = division.first_tile(block);
        count = division.first_tile(block + 1) - first;
        locate_block();
      }
      run_group(piece % division.groups);
    }
  }
};
}  // namespace detail

/// Computes the product. What a thread computes is divided among them so that every element is summed up in the same
/// order, whatever their number.
LAMINA_ONE_COPY inline void multiply(const Product& p, const Locate& locate) {
  const detail::Division division(p, {p.channels, p.taps});
  threads::share(p.threads, division.pieces(), 1, [&](int part, threads::Work& work) {
    detail::ProductRun(p, locate, division, p.scratch + part * product_scratch(p.channels, p.taps))(work);
  });
}

}  // namespace lamina::inline LAMINA_ISA::host
