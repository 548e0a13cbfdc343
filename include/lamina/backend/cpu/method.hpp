/// Which method computes an operation, how large its packed weights are and what scratch it needs: constant
/// expressions that the plan asks for.
#pragma once
#include "../../ops/all.hpp"
#include "../../plan/layout.hpp"
#include "../../plan/options.hpp"
#include "product.hpp"

namespace lamina::inline LAMINA_ISA::host {

/// Floats of scratch: for all threads together, and for each.
struct Scratch {
  idx shared = 0, each = 0;
};

/// For people: "direct", "winograd F(4x4)".
constexpr std::string_view method_name(Method method) {
  constexpr std::string_view names[] = {"plain",          "direct",          "gathered",
                                        "depthwise",      "winograd F(2x2)", "winograd F(4x4)",
                                        "plain bfloat16", "direct bfloat16", "gathered bfloat16"};
  return names[int(method)];
}

constexpr idx taps_of(const ops::Window2d& w) { return idx(w.height.kernel) * w.width.kernel; }

/// Channels as words, the elements of the micro-kernel (elements.hpp): a float each, or two.
constexpr idx words_of(idx channels, Method method) { return is_bfloat16(method) ? divide_up(channels, 2) : channels; }

// ---- convolutions

constexpr Channels channels_of(const ops::Conv2d& op, Method method = Method::direct) {
  return {words_of(op.in_channels, method), op.out_channels, op.groups, channel_block};
}

/// The copy that `gathered` sums over: [N][height][width][words], the padding with it.
struct Gathered {
  idx height, width, words;  ///< words of a pixel
  bool rows_whole;           ///< the taps of a row lie side by side: they are one run
  Channels runs;             ///< what a tap sums over
  idx taps;

  constexpr Gathered(const ops::Conv2d& op, const Dims& x, Method method)
      : height(x[2] + op.window.height.before + op.window.height.after),
        width(x[3] + op.window.width.before + op.window.width.after), words(words_of(op.in_channels, method)),
        rows_whole(op.window.width.dilation == 1), runs(run_of(op), op.out_channels, 1, run_of(op)),
        taps(op.window.height.kernel * (rows_whole ? 1 : op.window.width.kernel)) {}
  constexpr idx item() const { return height * width * words; }

 private:
  constexpr idx run_of(const ops::Conv2d& op) const { return words * (rows_whole ? op.window.width.kernel : 1); }
};

/// The tiles of a Winograd convolution. They go by in blocks through two buffers: v, the transformed tiles of a block,
/// as many of them side by side as the micro-kernel takes, [positions][kernels][blocks of channels][pixels][16]; and m,
/// their products with a group of output channels, [positions][blocks of the group][tiles][16].
struct WinogradTiles {
  idx size, positions;    ///< outputs of a tile in each dimension; elements of a transformed tile
  idx down, across, all;  ///< tiles
  idx in_blocks;          ///< blocks of input channels
  idx kernels;  ///< calls of the micro-kernel that the tiles of a block take: these share a reading of weights

  constexpr WinogradTiles(const ops::Conv2d& op, const Dims& x, Method method)
      : size(method == Method::winograd4 ? 4 : 2), positions((size + 2) * (size + 2)),
        down(divide_up(op.shape(x)[2], size)), across(divide_up(op.shape(x)[3], size)), all(x[0] * down * across),
        in_blocks(divide_up(op.in_channels, channel_block)), kernels(min(divide_up(all, register_tile.pixels), 16)) {}

  constexpr idx block() const { return kernels * register_tile.pixels; }  ///< tiles of a block
  constexpr idx blocks() const { return divide_up(all, block()); }
  constexpr idx kernel_floats() const { return in_blocks * register_tile.pixels * channel_block; }
  // From a position to the next is an odd number of cache lines, so that the positions of an element do not all fall
  // into the same set of the cache.
  constexpr idx in_step() const { return kernels * kernel_floats() + channel_block; }
  constexpr idx out_step() const { return (block() * register_tile.group_blocks + 1) * channel_block; }
  constexpr idx in_floats() const { return positions * in_step(); }
  constexpr idx out_floats() const { return positions * out_step(); }
};

namespace detail {
/// Cost in nanoseconds of one core, from measurements of this engine: GFLOP/s of direct sums, of floats and of pairs of
/// bfloat16, and of products between transforms, floats a nanosecond through a transform, bytes a nanosecond of weights
/// that no cache holds.
struct Cost {
  double direct = 90, product = 85, transform = 3.2, stream = 28;
  double direct_pairs = Pairs::passes == 1 ? 190 : 65;
  idx cache_bytes = 4 << 20;
};

constexpr double direct_cost(const ops::Conv2d& op, const Dims& x, Method method, const Cost& k = {}) {
  return 2 * double(op.macs(x)) / (method == Method::direct ? k.direct : k.direct_pairs);
}
constexpr double winograd_cost(const ops::Conv2d& op, const Dims& x, Method method, const Cost& k = {}) {
  const WinogradTiles t(op, x, method);
  const double n = double(t.positions) * double(t.all), in = op.in_channels, out = op.out_channels;
  const double bytes = double(t.positions) * in * out * 4;
  return 2 * n * in * out / k.product + n * (in + out) / k.transform +
         (bytes > double(k.cache_bytes) ? bytes / k.stream * double(t.blocks()) : 0);
}

constexpr bool suits_winograd(const ops::Conv2d& op) {
  const auto suits = [](const ops::Window& w) { return w.kernel == 3 && w.stride == 1 && w.dilation == 1; };
  return suits(op.window.height) && suits(op.window.width) && op.groups == 1;
}
}  // namespace detail

/// Floats of a convolution's packed weights.
constexpr idx weight_floats(const ops::Conv2d& op, Method method) {
  const idx taps = taps_of(op.window);
  switch (method) {
  case Method::depthwise: return round_up(op.out_channels, channel_block) * taps;
  case Method::gathered:
  case Method::gathered_bfloat16: {
    const idx run = words_of(op.in_channels, method) * taps;
    return Channels(run, op.out_channels, 1, run).weights();
  }
  case Method::winograd2: return 16 * channels_of(op).weights();
  case Method::winograd4: return 36 * channels_of(op).weights();
  default: return channels_of(op, method).weights() * taps;
  }
}

constexpr Method method_of(const ops::Conv2d& op, const Dims& x, Layout layout, const CompileOptions& options,
                           idx budget) {
  if (op.groups > 1 && op.groups == op.in_channels && op.groups == op.out_channels) return Method::depthwise;
  const bool pairs = options.precision == Precision::bfloat16 && op.groups == 1;
  if (layout == Layout::planar && op.groups == 1 && op.in_channels < channel_block)
    return pairs ? Method::gathered_bfloat16 : Method::gathered;
  Method best = pairs ? Method::direct_bfloat16 : Method::direct;
  if (options.accuracy == Accuracy::exact || !detail::suits_winograd(op)) return best;
  double cost = detail::direct_cost(op, x, best);
  for (const Method method : {Method::winograd2, Method::winograd4}) {
    if (method == Method::winograd4 && options.accuracy == Accuracy::strict) continue;
    const double c = detail::winograd_cost(op, x, method);
    if (c < cost && weight_floats(op, method) <= budget) best = method, cost = c;
  }
  return best;
}

constexpr Scratch scratch_of(const ops::Conv2d& op, const Dims& x, Method method) {
  switch (method) {
  case Method::depthwise: return {0, address_floats(taps_of(op.window))};
  case Method::gathered:
  case Method::gathered_bfloat16: {
    const Gathered copy(op, x, method);
    return {x[0] * copy.item(), product_scratch(copy.runs, copy.taps)};
  }
  case Method::winograd2:
  case Method::winograd4: {
    const WinogradTiles t(op, x, method);
    return {0, t.in_floats() + t.out_floats()};
  }
  default: return {0, product_scratch(channels_of(op, method), taps_of(op.window))};
  }
}

// ---- transposed convolutions

constexpr Channels channels_of(const ops::ConvTranspose2d& op, Method method) {
  return {words_of(op.in_channels, method), op.out_channels, op.groups, channel_block};
}
constexpr Method method_of(const ops::ConvTranspose2d& op, const Dims&, Layout, const CompileOptions& options, idx) {
  return options.precision == Precision::bfloat16 && op.groups == 1 ? Method::direct_bfloat16 : Method::direct;
}
constexpr idx weight_floats(const ops::ConvTranspose2d& op, Method method) {
  return channels_of(op, method).weights() * taps_of(op.window);
}
constexpr Scratch scratch_of(const ops::ConvTranspose2d& op, const Dims&, Method method) {
  // A phase may have all taps or one.
  const Channels channels = channels_of(op, method);
  return {0, max(product_scratch(channels, taps_of(op.window)), product_scratch(channels, 1))};
}

// ---- linear layers

/// Features in a block of the sums.
inline constexpr idx feature_block = 64;

constexpr Channels channels_of(const ops::Linear& op, Method method) {
  return {words_of(op.in_features, method), op.out_features, 1, feature_block};
}
constexpr Method method_of(const ops::Linear&, const Dims& x, Layout, const CompileOptions& options, idx) {
  const bool few = product(x, 0, x.rank - 1) <= 2;
  if (options.precision == Precision::bfloat16) return few ? Method::plain_bfloat16 : Method::direct_bfloat16;
  return few ? Method::plain : Method::direct;
}
constexpr idx weight_floats(const ops::Linear& op, Method method) {
  const bool plain = method == Method::plain || method == Method::plain_bfloat16;
  return plain ? words_of(idx(op.in_features) * op.out_features, method) : channels_of(op, method).weights();
}
/// Words of the rows as pairs, which are converted first.
constexpr idx row_pairs(const ops::Linear& op, const Dims& x, Method method) {
  return method == Method::direct_bfloat16 ? product(x, 0, x.rank - 1) * words_of(op.in_features, method) : 0;
}
constexpr Scratch scratch_of(const ops::Linear& op, const Dims& x, Method method) {
  return {row_pairs(op, x, method), product_scratch(channels_of(op, method), 1)};
}

}  // namespace lamina::inline LAMINA_ISA::host
