/// Parameters in the order in which kernels read them, a batch norm folded in.
#pragma once
#include "../../plan/producer_weights.hpp"
#include "conv_transpose2d.hpp"
#include <vector>

namespace lamina::inline LAMINA_ISA::host {

namespace detail {
/// A weight in memory: of output channel o, input channel c of its group, and tap t.
struct WeightView {
  const float* data;
  idx out_step, in_step;
  idx group_out_step = 0;  ///< added for every group that output channels before o fill
  const idx* taps;         ///< [number of taps]
  idx tap_count;
  bool pairs = false;  ///< packed as words of two channels
  idx channels = 0;    ///< of pairs: input channels, which may be odd

  float at(idx o, idx c, idx t, idx group_out) const {
    return data[o / group_out * group_out_step + o % group_out * out_step + c * in_step + taps[t]];
  }
};

/// [groups of output channels][blocks][taps][run][output channels], zeros where channels are not connected.
LAMINA_ONE_COPY inline void pack_blocks(const Channels& k, const WeightView& w, const double* factors, float* to) {
  const idx group_in = k.in / k.groups, group_out = k.out / k.groups;
  for (idx g = 0; g < k.out_groups(); ++g) {
    const BlockRange range = k.blocks_of(g);
    float* out = to + g * k.group_weights() * w.tap_count;
    for (idx b = range.first; b < range.first + range.count; ++b)
      for (idx t = 0; t < w.tap_count; ++t)
        for (idx c = b * k.run; c < b * k.run + k.run_of(b); ++c)
          for (idx o = g * group_channels; o < g * group_channels + k.lanes(g); ++o) {
            const auto value = [&](idx channel) { return float(factors[o] * double(w.at(o, channel, t, group_out))); };
            const bool connected = o < k.out && c / group_in == o / group_out;
            if (!connected) *out++ = 0;
            else if (w.pairs) *out++ = pair_of(value(2 * c), 2 * c + 1 < w.channels ? value(2 * c + 1) : 0.f);
            else *out++ = value(c % group_in);
          }
  }
}

LAMINA_ONE_COPY inline void pack_depthwise(const ops::Conv2d& op, const float* weight, const double* factors,
                                           float* to) {
  const idx taps = taps_of(op.window);
  for (idx b = 0; b < divide_up(op.out_channels, channel_block); ++b)
    for (idx t = 0; t < taps; ++t)
      for (idx o = b * channel_block; o < (b + 1) * channel_block; ++o)
        *to++ = o < op.out_channels ? float(factors[o] * double(weight[o * taps + t])) : 0.f;
}

template <std::uint64_t Kernels>
void pack_weight(const ops::Conv2d& op, Method method, const float* weight, const double* factors, float* to) {
  const idx taps = taps_of(op.window), in = op.in_channels / op.groups;
  std::vector<idx> offsets(static_cast<std::size_t>(taps));
  for (idx t = 0; t < taps; ++t) offsets[std::size_t(t)] = t;
  const WeightView view{weight, in * taps,           taps, op.out_channels / op.groups * in * taps, offsets.data(),
                        taps,   is_bfloat16(method), in};
  if constexpr (has_method<Kernels, Method::winograd2, Method::winograd4>)
    if (method == Method::winograd2 || method == Method::winograd4)
      return pack_winograd(op, method, weight, factors, to);
  if constexpr (has_method<Kernels, Method::depthwise>)
    if (method == Method::depthwise) return pack_depthwise(op, weight, factors, to);
  const bool gathered = method == Method::gathered || method == Method::gathered_bfloat16;
  const idx words = words_of(op.in_channels, method);
  pack_blocks(gathered ? Channels(words, op.out_channels, 1, words) : channels_of(op, method), view, factors, to);
}

template <std::uint64_t>
void pack_weight(const ops::Linear& op, Method method, const float* weight, const double* factors, float* to) {
  const idx zero = 0, in = op.in_features;
  if (method == Method::direct || method == Method::direct_bfloat16)
    return pack_blocks(channels_of(op, method), {weight, in, 1, 0, &zero, 1, is_bfloat16(method), in}, factors, to);
  bfloat16* const halves = Pairs::in(to);
  for (idx i = 0; i < in * op.out_features; ++i) {
    const float value = float(factors[i / in] * double(weight[i]));
    if (method == Method::plain) to[i] = value;
    else halves[i] = bfloat16(value);
  }
}

/// Weights [in][out of a group][height][width], phase by phase.
template <std::uint64_t>
void pack_weight(const ops::ConvTranspose2d& op, Method method, const float* weight, const double* factors, float* to) {
  const Channels channels = channels_of(op, method);
  const idx out = op.out_channels / op.groups, in = op.in_channels / op.groups, kernel = taps_of(op.window);
  std::vector<idx> taps(static_cast<std::size_t>(kernel));
  for_each_phase(op, 0, 0, [&](const Phase& v, const Phase& u, idx done) {
    const idx count = v.reach.taps * u.reach.taps;
    for (idx t = 0; t < count; ++t)
      taps[std::size_t(t)] = (v.weight_first + t / u.reach.taps * v.weight_step) * op.window.width.kernel +
                             u.weight_first + t % u.reach.taps * u.weight_step;
    pack_blocks(channels,
                {weight, kernel, out * kernel, in * out * kernel, taps.data(), count, is_bfloat16(method), in}, factors,
                to + done * channels.weights());
  });
}
}  // namespace detail

/// Floats of a bias, filled up to whole groups of output channels.
constexpr idx bias_floats(idx out) { return round_up(out, group_channels); }

constexpr idx out_channels(const ops::Conv2d& op) { return op.out_channels; }
constexpr idx out_channels(const ops::ConvTranspose2d& op) { return op.out_channels; }
constexpr idx out_channels(const ops::Linear& op) { return op.out_features; }

namespace detail {
/// What a norm multiplies the output channels with. Their bias goes to `bias`.
LAMINA_ONE_COPY inline std::vector<double> pack_bias(const ProducerWeights& w, idx out, float* bias) {
  std::vector<double> factors(static_cast<std::size_t>(out));
  for (idx o = 0; o < out; ++o) {
    factors[std::size_t(o)] = w.factor(o);
    bias[o] = float(w.shift(o));
  }
  for (idx o = out; o < bias_floats(out); ++o) bias[o] = 0;
  return factors;
}
}  // namespace detail

/// Packs the parameters of a convolution, transposed convolution or linear layer: weight_floats(op, method) floats to
/// `weight`, bias_floats(out_channels(op)) to `bias`. The method is one of the mask.
template <std::uint64_t Kernels = all_kernels, class Op>
void pack(const Op& op, Method method, const ProducerWeights& w, float* weight, float* bias) {
  const std::vector<double> factors = detail::pack_bias(w, out_channels(op), bias);
  detail::pack_weight<Kernels>(op, method, w.weight, factors.data(), weight);
}

}  // namespace lamina::inline LAMINA_ISA::host
