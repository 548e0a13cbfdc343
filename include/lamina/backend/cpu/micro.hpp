/// The one micro-kernel under convolutions, transposed convolutions, linear layers and matrix products: a tile of
/// output pixels by one or two blocks of 16 output channels is summed up in registers. The pixels' addresses come from
/// a table, one entry a tap of the window, so that strides, dilations and borders are no matter of the kernel; 93% of
/// the peak of an AVX2 core on 3x3 convolutions of 64 channels, with g++ and clang alike.
#pragma once
#include "elements.hpp"

namespace lamina::inline LAMINA_ISA::host {

/// Floats of a cache line.
inline constexpr idx cache_line = 64 / idx(sizeof(float));

/// The memory of a tile. Input elements lie in blocks of channels; a tap of a pixel is `run` floats of each block, or
/// other words (elements.hpp).
struct Tile {
  const float* const* from = nullptr;  ///< [taps][pixels]: the tap's first float in block 0; null in the padding
  idx from_step = 0;                   ///< floats from a block to the next
  idx first_block = 0, blocks = 1;     ///< the blocks to sum over
  int taps = 1;
  idx run = 0, last_run = 0;               ///< floats of a tap in a block, in the last of the blocks
  const float* weight = nullptr;           ///< [blocks][taps][run][output channels]
  float* const* to = nullptr;              ///< [pixels]: the first output channel of block 0
  const float* const* residual = nullptr;  ///< [pixels], or null
  idx to_offset = 0, to_step = 0;          ///< floats to the first output block and from each to the next
  const float* bias = nullptr;             ///< or null
  bool adds = false;                       ///< the sums are added to what is in the result
  bool relu = false;
  const float* ahead = nullptr;  ///< weights of later tiles: some cache lines are fetched from here at every tap
  idx ahead_lines = 0, ahead_step = 0;

  /// While `tiles` of them go by, fetches the `floats` weights that come next, each an equal share: memory has the time
  /// of all tiles for them, not of the first alone. 6% of a ResNet-50.
  void fetch_ahead(const float* next, idx floats, idx tiles) {
    ahead = next;
    ahead_lines = divide_up(floats, max(1, tiles * blocks * taps * cache_line));
    ahead_step = divide_up(floats, tiles * cache_line) * cache_line;
  }
  /// Goes on to the next share.
  void next() { ahead += ahead_step; }
};

/// What a pixel in the padding reads.
alignas(64) inline constexpr float zero_run[channel_block]{};

// Keeps a vector in its register: g++ would read it from memory at every use.
#if defined(__AVX2__)
#define LAMINA_PIN(v) asm("" : "+v"(v))
#else
#define LAMINA_PIN(v) (void)v
#endif

// Keeps a variable in memory here. g++ would move it to vector registers, and reading it back from there waits behind
// all sums that are under way: 10% of a 1x1 convolution.
#define LAMINA_SPILL(v) asm volatile("" : "+m"(v) : : "memory")

// How far ahead weights are fetched: into the next slab, when one ends. 4% of a ResNet-50.
inline constexpr idx prefetch_floats = 512;

/// y[p, o] = bias[o] + residual[p, o] + sum over blocks, taps, c of x[p, tap, c] * weight[tap, c, o]; relu(y) if asked.
/// x and weight are of type Elements, y and the residual of type Results.
template <class Elements, class Results, int Pixels, int Blocks>
LAMINA_ONE_COPY inline void micro_kernel(const Tile& t) {
  constexpr int block_vectors = int(channel_block) / vector_floats, vectors = Blocks * block_vectors,
                sums = Pixels * vectors;
  const auto get = [&](const float* pixel, int i) { return Results::get(pixel + t.to_offset, t.to_step, i % vectors); };
  vector sum[sums];
  LAMINA_UNROLL for (int i = 0; i < sums; ++i) sum[i] = vector{};
  struct {
    const float* const* from;
    idx rest;
    const float* weight;
    idx shift;
    const float* ahead;
    int tap;
  } at{t.from, t.blocks, t.weight, t.first_block, t.ahead, t.taps};
  LAMINA_SPILL(at);
  at.shift *= t.from_step;
  for (at.rest *= t.taps; at.rest > 0; --at.rest) {
    const float* x[Pixels];
    LAMINA_UNROLL for (int p = 0; p < Pixels; ++p) x[p] = at.from[p] ? at.from[p] + at.shift : zero_run;
    for (idx line = t.ahead_lines; line > 0; --line, at.ahead += cache_line) __builtin_prefetch(at.ahead, 0, 2);
    at.from += Pixels;
    if (--at.tap == 0) {
      at.tap = t.taps;
      at.from = t.from;
      at.shift += t.from_step;
    }
    const idx run = at.rest > t.taps ? t.run : t.last_run;
    const float* weight = at.weight;
    at.weight += run * vectors * vector_floats;
    LAMINA_SPILL(at);
    for (idx c = 0; c < run; ++c, weight += vectors * vector_floats) {
      __builtin_prefetch(weight + prefetch_floats);
      LAMINA_UNROLL for (int pass = 0; pass < Elements::passes; ++pass) {
        vector w[vectors];
        LAMINA_UNROLL for (int v = 0; v < vectors; ++v) {
          w[v] = Elements::pass_of(load(weight + v * vector_floats), pass);
          LAMINA_PIN(w[v]);
        }
        LAMINA_UNROLL for (int p = 0; p < Pixels; ++p) {
          const auto element = Elements::spread(x[p][c], pass);
          LAMINA_UNROLL for (int v = 0; v < vectors; ++v) Elements::add(sum[p * vectors + v], element, w[v]);
        }
      }
    }
    LAMINA_SPILL(at);
  }
  // All else is added at the end: what is large already would round every term.
  if (t.bias) LAMINA_UNROLL for (int i = 0; i < sums; ++i) sum[i] += load(t.bias + i % vectors * vector_floats);
  if (t.adds) LAMINA_UNROLL for (int i = 0; i < sums; ++i) sum[i] += get(t.to[i / vectors], i);
  if (t.residual) LAMINA_UNROLL for (int i = 0; i < sums; ++i) sum[i] += get(t.residual[i / vectors], i);
  if (t.relu) LAMINA_UNROLL for (int i = 0; i < sums; ++i) sum[i] = sum[i] < 0 ? vector{} : sum[i];
  LAMINA_UNROLL for (int i = 0; i < sums; ++i)
      Results::put(sum[i], t.to[i / vectors] + t.to_offset, t.to_step, i % vectors);
}

/// Pixels of the tile that is used when `rest` are left; fewer repeat the last one.
constexpr int tile_pixels(idx rest) { return rest <= register_tile.small ? register_tile.small : register_tile.pixels; }

/// Runs the micro-kernel for a tile of `pixels` (as tile_pixels says) by `blocks` blocks of output channels.
template <class Elements = Floats, class Results = Elements>
inline void run_tile(const Tile& tile, int pixels, idx blocks) {
  constexpr RegisterTile r = register_tile;
  if constexpr (r.group_blocks == 2)
    if (blocks == 2)
      return pixels == r.pixels ? micro_kernel<Elements, Results, r.pixels, 2>(tile)
                                : micro_kernel<Elements, Results, r.small, 2>(tile);
  return pixels == r.pixels ? micro_kernel<Elements, Results, r.pixels, 1>(tile)
                            : micro_kernel<Elements, Results, r.small, 1>(tile);
}

}  // namespace lamina::inline LAMINA_ISA::host
