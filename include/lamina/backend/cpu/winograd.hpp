/// Winograd's convolutions F(2x2, 3x3) and F(4x4, 3x3): tiles of the input are transformed, multiplied with transformed
/// weights position by position, and transformed back, with 2.25 and 4 times fewer products than direct sums.
/// Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016.
#pragma once
#include "method.hpp"

namespace lamina::inline LAMINA_ISA::host {

namespace detail {
/// One dimension of the transforms: of the input (B^T d), of the weights (G g), of the products (A^T m).
template <int Size> struct Transform;

template <> struct Transform<2> {
  static constexpr double weight[4][3] = {{1, 0, 0}, {.5, .5, .5}, {.5, -.5, .5}, {0, 0, 1}};
  static void input(const vector* d, vector* v) {
    v[0] = d[0] - d[2];
    v[1] = d[1] + d[2];
    v[2] = d[2] - d[1];
    v[3] = d[1] - d[3];
  }
  static void output(const vector* m, vector* y) {
    y[0] = m[0] + m[1] + m[2];
    y[1] = m[1] - m[2] - m[3];
  }
};

template <> struct Transform<4> {
  static constexpr double weight[6][3] = {{1. / 4, 0, 0},
                                          {-1. / 6, -1. / 6, -1. / 6},
                                          {-1. / 6, 1. / 6, -1. / 6},
                                          {1. / 24, 1. / 12, 1. / 6},
                                          {1. / 24, -1. / 12, 1. / 6},
                                          {0, 0, 1}};
  static void input(const vector* d, vector* v) {
    const vector a = d[4] - 4 * d[2], b = d[3] - 4 * d[1], c = d[4] - d[2], e = 2 * (d[3] - d[1]);
    v[0] = 4 * d[0] - 5 * d[2] + d[4];
    v[1] = a + b;
    v[2] = a - b;
    v[3] = c + e;
    v[4] = c - e;
    v[5] = 4 * d[1] - 5 * d[3] + d[5];
  }
  static void output(const vector* m, vector* y) {
    const vector s = m[1] + m[2], d = m[1] - m[2], t = m[3] + m[4], u = m[3] - m[4];
    y[0] = m[0] + s + t;
    y[1] = d + 2 * u;
    y[2] = s + 4 * t;
    y[3] = d + 8 * u + m[5];
  }
};

/// Blocks of input channels that F(2x2) sums at a time.
inline constexpr idx winograd2_slab = 3;

/// What the transforms need of a convolution.
struct WinogradRun {
  WinogradTiles tiles;
  Input x{};
  Output y{};
  const Input* residual = nullptr;
  const float* bias = nullptr;
  ops::Activation activation{};
  idx top = 0, left = 0;  ///< padding

  struct Position {
    idx item, row, column;
  };
  Position tile(idx t) const {
    const idx area = tiles.down * tiles.across;
    return {t / area, t % area / tiles.across * tiles.size, t % tiles.across * tiles.size};
  }
};

/// A block of 16 channels in a tensor: its plane, whose pixels are `channel_block` words, and where in a pixel it
/// begins.
template <class Elements> struct BlockPlace {
  idx plane, first;
  constexpr explicit BlockPlace(idx block)
      : plane(block / Elements::in_word), first(block % Elements::in_word * channel_block) {}
};

/// A square of `n` by `n` pixels of a plane, from (top, left) on, those outside of the plane zeros.
template <int n> struct Square {
  const float* from;
  idx row_step;
  alignas(64) float copy[n * n * channel_block];

  Square(const float* plane, idx height, idx width, idx top, idx left) {
    const auto pixel = [&](idx i, idx j) { return plane + ((top + i) * width + left + j) * channel_block; };
    if (top >= 0 && left >= 0 && top + n <= height && left + n <= width) {
      from = pixel(0, 0), row_step = width * channel_block;
      return;
    }
    const idx column = max(0, -left), columns = min(n, width - left) - column;
    fill_row(0, copy, n * n * channel_block);
    for (idx i = max(0, -top); i < min(n, height - top); ++i)
      copy_row(pixel(i, column), copy + (i * n + column) * channel_block, columns * channel_block);
    from = copy, row_step = n * channel_block;
  }
};

/// Transforms the tiles of the block from `first` on that belong to the kernels of `work`: -> v.
template <int Size, class Elements>
LAMINA_ONE_COPY inline void winograd_input(const WinogradRun& r, threads::Work& work, idx first, float* v) {
  constexpr int n = Size + 2, pixels = register_tile.pixels;
  const idx height = r.x.dims[2], width = r.x.dims[3], step = r.tiles.in_step();
  for (const idx kernel : work) {
    float* to = v + kernel * r.tiles.kernel_floats();
    for (idx block = 0; block < r.tiles.in_blocks; ++block) {
      const BlockPlace<Elements> place(block);
      for (int p = 0; p < pixels; ++p, to += channel_block) {
        const auto [item, row, column] = r.tile(min(first + kernel * pixels + p, r.tiles.all - 1));
        const Square<n> x(r.x.item(item) + place.plane * height * width * channel_block, height, width, row - r.top,
                          column - r.left);
        for (idx lane = 0; lane < channel_block; lane += vector_floats) {
          // Transformed along the height. More than the registers hold, so that loops over them stay loops.
          vector rows[n][n];
          for (int j = 0; j < n; ++j) {
            vector d[n], o[n];
            LAMINA_UNROLL for (int i = 0; i < n; ++i) d[i] =
                load(Elements::in(x.from + i * x.row_step + j * channel_block) + place.first + lane);
            Transform<Size>::input(d, o);
            LAMINA_UNROLL for (int i = 0; i < n; ++i) rows[i][j] = o[i];
          }
          for (int i = 0; i < n; ++i) {
            vector o[n];
            Transform<Size>::input(rows[i], o);
            LAMINA_UNROLL for (int j = 0; j < n; ++j) store(o[j], to + (i * n + j) * step + lane);
          }
        }
      }
    }
  }
}

/// Multiplies the transformed tiles of a block, `count` of them, by the weights of a group of output channels: v -> m.
/// Sums of F(2x2) go over a slab of the input channels at a time, which rounds them less; those of F(4x4) are rounded
/// more by their transforms.
LAMINA_ONE_COPY inline void winograd_product(const WinogradTiles& tiles, const Channels& channels, idx group, idx count,
                                             const float* v, const float* weight, float* m) {
  constexpr int most = register_tile.pixels;
  const idx weights = channels.group_weights(), kernels = divide_up(count, most),
            slab = tiles.size == 2 ? winograd2_slab : tiles.in_blocks;
  const float* from[most];
  float* to[most];
  Tile tile{.from = from,
            .from_step = most * channel_block,
            .run = channel_block,
            .to = to,
            .to_step = tiles.block() * channel_block};
  for (idx position = 0; position < tiles.positions; ++position) {
    tile.weight = weight + (group * tiles.positions + position) * weights;
    for (idx done = 0; done < tiles.in_blocks; done += slab) {
      tile.first_block = done;
      tile.blocks = min(slab, tiles.in_blocks - done);
      tile.last_run = channels.run_of(done + tile.blocks - 1);
      tile.adds = done > 0;
      const idx floats = ((tile.blocks - 1) * channel_block + tile.last_run) * channels.lanes(group);
      tile.fetch_ahead(tile.weight + floats, floats, kernels);
      for (idx kernel = 0; kernel < kernels; ++kernel, tile.next()) {
        const idx first = kernel * most;
        const int pixels = tile_pixels(count - first);
        for (int p = 0; p < pixels; ++p) {
          from[p] = v + position * tiles.in_step() + kernel * tiles.kernel_floats() + p * channel_block;
          to[p] = m + position * tiles.out_step() + (first + p) * channel_block;
        }
        run_tile(tile, pixels, channels.lanes(group) / channel_block);
      }
      tile.weight += floats;
    }
  }
}

/// Transforms the products of `count` tiles with a group of output channels back and finishes them: m -> the tiles
/// first, first + 1, ... of the result.
template <int Size, class Elements>
LAMINA_ONE_COPY inline void winograd_output(const WinogradRun& r, idx group, idx first, idx count, const float* m) {
  constexpr int n = Size + 2;
  const idx height = r.y.dims[2], width = r.y.dims[3], step = r.tiles.out_step();
  const bool relu = r.activation.kind == ops::Activation::Kind::relu,
             plain = r.activation.kind == ops::Activation::Kind::identity;
  const idx begin = group * register_tile.group_blocks,
            end = min(begin + register_tile.group_blocks, divide_up(r.y.dims[1], channel_block));
  for (idx block = begin; block < end; ++block) {
    const BlockPlace<Elements> place(block);
    for (idx t = 0; t < count; ++t) {
      const auto [item, row, column] = r.tile(first + t);
      const idx at = ((place.plane * height + row) * width + column) * channel_block;
      float* const y = r.y.item(item) + at;
      const float* const residual = r.residual ? r.residual->item(item) + at : nullptr;
      for (idx lane = 0; lane < channel_block; lane += vector_floats) {
        const float* const from = m + ((block - begin) * r.tiles.block() + t) * channel_block + lane;
        const vector bias = load(r.bias + block * channel_block + lane);
        vector rows[Size][n];
        for (int j = 0; j < n; ++j) {
          vector d[n], o[Size];
          LAMINA_UNROLL for (int i = 0; i < n; ++i) d[i] = load(from + (i * n + j) * step);
          Transform<Size>::output(d, o);
          LAMINA_UNROLL for (int i = 0; i < Size; ++i) rows[i][j] = o[i];
        }
        for (int i = 0; i < min(Size, height - row); ++i) {
          vector o[Size];
          Transform<Size>::output(rows[i], o);
          LAMINA_UNROLL for (int j = 0; j < Size; ++j) {
            if (column + j >= width) continue;
            const idx pixel = (i * width + j) * channel_block;
            vector v = o[j] + bias;
            if (residual) v += load(Elements::in(residual + pixel) + place.first + lane);
            if (relu) v = v < 0 ? vector{} : v;
            store(v, Elements::in(y + pixel) + place.first + lane);
          }
        }
      }
      if (relu || plain) continue;
      for (idx i = 0; i < min(Size, height - row); ++i)
        for (idx j = 0; j < min(Size, width - column); ++j) {
          const auto to = Elements::in(y + (i * width + j) * channel_block) + place.first;
          activate(r.activation, to, to, channel_block);
        }
    }
  }
}

/// The transforms of a tile size; what calls them is compiled once for all.
struct WinogradTransforms {
  void (*input)(const WinogradRun& r, threads::Work& work, idx first, float* v);
  void (*output)(const WinogradRun& r, idx group, idx first, idx count, const float* m);
};

LAMINA_ONE_COPY inline void run_winograd(const ops::Conv2d& op, const Call& call,
                                         const WinogradTransforms& transforms) {
  const WinogradRun r{.tiles = {op, call.in[0].dims, call.method},
                      .x = call.in[0],
                      .y = call.out,
                      .residual = call.epilogue.residual,
                      .bias = call.parameters[1].floats(),
                      .activation = call.epilogue.activation,
                      .top = op.window.height.before,
                      .left = op.window.width.before};
  const float* const weight = call.parameters[0].floats();
  float* const scratch = call.scratch;
  const int threads = call.threads;
  const WinogradTiles& tiles = r.tiles;
  const Channels channels = channels_of(op);
  const idx each = tiles.in_floats() + tiles.out_floats();
  constexpr idx pixels = register_tile.pixels;
  const auto run_block = [&](idx block, float* v, int sharing) {
    const idx first = tiles.all * block / tiles.blocks(), count = tiles.all * (block + 1) / tiles.blocks() - first,
              kernels = divide_up(count, pixels),
              parts = sharing == 1 ? 1 : min(kernels, divide_up(4 * sharing, channels.out_groups()));
    threads::share(sharing, kernels, 1, [&](int, threads::Work& work) { transforms.input(r, work, first, v); });
    threads::share(sharing, channels.out_groups() * parts, 1, [&](int thread, threads::Work& work) {
      float* const m = v + thread * each + tiles.in_floats();
      for (const idx i : work) {
        const idx group = i / parts, begin = kernels * (i % parts) / parts, end = kernels * (i % parts + 1) / parts,
                  n = min(end * pixels, count) - begin * pixels;
        winograd_product(tiles, channels, group, n, v + begin * tiles.kernel_floats(), weight, m);
        transforms.output(r, group, first + begin * pixels, n, m);
      }
    });
  };
  // With enough blocks every thread goes through some of them on its own; else all share each step of a block.
  const bool alone = threads == 1 || tiles.blocks() >= 2 * threads;
  threads::share(alone ? threads : 1, tiles.blocks(), 1, [&](int part, threads::Work& own) {
    for (const idx block : own) run_block(block, scratch + part * each, alone ? 1 : threads);
  });
}
template <int Size, std::uint64_t Kernels> void run_winograd(const ops::Conv2d& op, const Call& call) {
  if constexpr ((Kernels & paired_kernels) != 0)
    if (call.paired()) return run_winograd(op, call, {winograd_input<Size, Pairs>, winograd_output<Size, Pairs>});
  run_winograd(op, call, {winograd_input<Size, Floats>, winograd_output<Size, Floats>});
}

/// Weights [groups of output channels][positions][input channels][output channels] of the transformed kernels G g G^T.
LAMINA_ONE_COPY inline void pack_winograd(const ops::Conv2d& op, Method method, const float* weight,
                                          const double* factors, float* to) {
  const bool four = method == Method::winograd4;
  const int n = four ? 6 : 4;
  const auto g = [&](int i, int j) { return four ? Transform<4>::weight[i][j] : Transform<2>::weight[i][j]; };
  const Channels channels = channels_of(op);
  const idx step = channels.group_weights();
  for (idx group = 0; group < channels.out_groups(); ++group)
    for (idx lane = 0; lane < channels.lanes(group); ++lane)
      for (idx c = 0; c < channels.in; ++c) {
        const idx o = group * group_channels + lane;
        float* const out = to + group * n * n * step + c * channels.lanes(group) + lane;
        double rows[6][3]{};  // G g
        if (o < channels.out)
          for (int i = 0; i < n; ++i)
            for (int q = 0; q < 3; ++q)
              for (int p = 0; p < 3; ++p)
                rows[i][q] += g(i, p) * factors[o] * double(weight[(o * channels.in + c) * 9 + p * 3 + q]);
        for (int i = 0; i < n; ++i)
          for (int j = 0; j < n; ++j)
            out[(i * n + j) * step] = float(g(j, 0) * rows[i][0] + g(j, 1) * rows[i][1] + g(j, 2) * rows[i][2]);
      }
}
}  // namespace detail

}  // namespace lamina::inline LAMINA_ISA::host
