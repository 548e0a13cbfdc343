/// Convolution.
#pragma once
#include "pixels.hpp"
#include "winograd.hpp"

namespace lamina::inline LAMINA_ISA::host {

namespace detail {
/// Item n of a planar image as rows of pixels, channels side by side, zeros around.
template <class Elements>
LAMINA_ONE_COPY void gather_rows(const ops::Conv2d& op, const Input& x, const Gathered& copy, threads::Work& rows,
                                 float* to) {
  const idx height = x.dims[2], width = x.dims[3], words = copy.words;
  for (const idx row : rows) {
    float* const out = to + row * copy.width * words;
    const idx n = row / copy.height, i = row % copy.height - op.window.height.before;
    fill_row(0, out, copy.width * words);
    if (i < 0 || i >= height) continue;
    for (idx c = 0; c < op.in_channels; ++c)
      copy_strided(x.item(n) + (c * height + i) * width, 1, Elements::in(out + op.window.width.before * words) + c,
                   words * Elements::in_word, width);
  }
}

/// The sums over a pixel's taps, one vector of channels times one of weights each.
LAMINA_ONE_COPY inline void depthwise_pixel(const float* const* from, idx stride, idx taps, idx shift,
                                            const float* weight, const float* bias, const float* residual,
                                            const ops::Activation& activation, float* y) {
  constexpr int parts = int(channel_block) / vector_floats;
  vector sum[parts];
  LAMINA_UNROLL for (int v = 0; v < parts; ++v) {
    sum[v] = load(bias + v * vector_floats);
    if (residual) sum[v] += load(residual + v * vector_floats);
  }
  for (idx t = 0; t < taps; ++t)
    if (const float* x = from[t * stride])
      LAMINA_UNROLL for (int v = 0; v < parts; ++v) sum[v] +=
          load(x + shift + v * vector_floats) * load(weight + t * channel_block + v * vector_floats);
  LAMINA_UNROLL for (int v = 0; v < parts; ++v) store(sum[v], y + v * vector_floats);
  activate(activation, y, y, channel_block);
}

/// The pixels of a convolution over a blocked input.
inline Pixels pixels_of(const ops::Conv2d& op, const Call& call) {
  const auto& [h, w] = op.window;
  Pixels pixels = pixels_of(call);
  pixels.vertical = {h.kernel, h.stride, -h.before, h.dilation};
  pixels.horizontal = {w.kernel, w.stride, -w.before, w.dilation};
  pixels.rows = {call.out.dims[2]}, pixels.columns = {call.out.dims[3]};
  return pixels;
}

inline void run_depthwise(const ops::Conv2d& op, const Call& call) {
  const Pixels pixels = pixels_of(op, call);
  const idx taps = taps_of(op.window), blocks = divide_up(op.out_channels, channel_block);
  const idx from_step = pixels.height * pixels.width * channel_block,
            to_step = pixels.rows.extent * pixels.columns.extent * channel_block;
  const idx tiles = divide_up(pixels.count(), register_tile.pixels);
  threads::share(call.threads, tiles, 8, [&](int part, threads::Work& work) {
    const float** from = reinterpret_cast<const float**>(call.scratch + part * address_floats(taps));
    float* to[register_tile.pixels];
    const float* residual[register_tile.pixels];
    for (const idx t : work) {
      const idx first = t * register_tile.pixels, count = min(register_tile.pixels, pixels.count() - first);
      pixels(first, register_tile.pixels, {from, to, residual});
      for (idx b = 0; b < blocks; ++b)
        for (idx p = 0; p < count; ++p)
          depthwise_pixel(
              from + p, register_tile.pixels, taps, b * from_step,
              call.parameters[0].floats() + b * taps * channel_block, call.parameters[1].floats() + b * channel_block,
              pixels.residual ? residual[p] + b * to_step : nullptr, call.epilogue.activation, to[p] + b * to_step);
    }
  });
}
template <class Elements> Product product_of(const ops::Conv2d& op, const Call& call) {
  const Dims &x = call.in[0].dims, &y = call.out.dims;
  return {.taps = int(taps_of(op.window)),
          .channels = channels_of(op, call.method),
          .from_step = x[2] * x[3] * channel_block,
          .weight = call.parameters[0].floats(),
          .bias = call.parameters[1].floats(),
          .residual = call.epilogue.residual != nullptr,
          .to_step = y[2] * y[3] * channel_block,
          .kernel = run_tile<Elements>,
          .activate_pairs = activate_pairs_of<Elements>(),
          .activation = call.epilogue.activation,
          .scratch = call.scratch,
          .threads = call.threads};
}

template <class Elements> void run_direct(const ops::Conv2d& op, const Call& call) {
  const Pixels pixels = pixels_of(op, call);
  Product product = product_of<Elements>(op, call);
  product.pixels = pixels.count();
  multiply(product, pixels);
}

template <class Elements> void run_gathered(const ops::Conv2d& op, const Call& call) {
  const Input& x = call.in[0];
  const Gathered copy(op, x.dims, call.method);
  const idx rows = x.dims[0] * copy.height;
  threads::share(call.threads, rows, 8,
                 [&](int, threads::Work& work) { gather_rows<Elements>(op, x, copy, work, call.scratch); });
  Pixels pixels = pixels_of(op, call);
  pixels.x = call.scratch, pixels.x_item = copy.item(), pixels.lanes = copy.words;
  pixels.height = copy.height, pixels.width = copy.width;
  pixels.vertical.first = pixels.horizontal.first = 0;
  if (copy.rows_whole) pixels.horizontal.taps = 1;
  Product product = product_of<Elements>(op, call);
  product.scratch += round_up(x.dims[0] * copy.item(), channel_block);
  product.taps = int(copy.taps);
  product.channels = copy.runs;
  product.pixels = pixels.count();
  multiply(product, pixels);
}
}  // namespace detail

/// Parameters: weight and bias, packed for call.method, which is one of the mask. The input is blocked or paired, for
/// `gathered` planar; the result is as the weights are, or, of Winograd's, as the input.
template <std::uint64_t Kernels = float_kernels> void run(const ops::Conv2d& op, const Call& call) {
  if constexpr (has_method<Kernels, Method::winograd2>)
    if (call.method == Method::winograd2) return detail::run_winograd<2, Kernels>(op, call);
  if constexpr (has_method<Kernels, Method::winograd4>)
    if (call.method == Method::winograd4) return detail::run_winograd<4, Kernels>(op, call);
  if constexpr (has_method<Kernels, Method::depthwise>)
    if (call.method == Method::depthwise) return detail::run_depthwise(op, call);
  if constexpr (has_method<Kernels, Method::gathered>)
    if (call.method == Method::gathered) return detail::run_gathered<Floats>(op, call);
  if constexpr (has_method<Kernels, Method::gathered_bfloat16>)
    if (call.method == Method::gathered_bfloat16) return detail::run_gathered<Pairs>(op, call);
  if constexpr (has_method<Kernels, Method::direct>)
    if (call.method == Method::direct) return detail::run_direct<Floats>(op, call);
  if constexpr (has_method<Kernels, Method::direct_bfloat16>)
    if (call.method == Method::direct_bfloat16) return detail::run_direct<Pairs>(op, call);
}

}  // namespace lamina::inline LAMINA_ISA::host
