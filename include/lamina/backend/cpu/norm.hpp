/// Normalisation. Means and variances are sums in double precision, the variance in a second pass over the data.
#pragma once
#include "../../ops/norm.hpp"
#include "math.hpp"
#include "planes.hpp"

namespace lamina::inline LAMINA_ISA::host {

namespace detail {
/// y = (x - mean) * factor + bias
LAMINA_ONE_COPY inline void normalize_row(const float* x, float* y, idx n, float mean, float factor, float bias) {
  map_row(x, y, n, [=](vector v) { return (v - mean) * factor + bias; });
}
LAMINA_ONE_COPY inline double sum_of_squares_about(double mean, const float* x, idx n) {
  return sum_row(x, n, [mean](double v) { return (v - mean) * (v - mean); });
}

/// How the channels of a block are normalised.
template <class Elements> struct Lanes {
  using Pixel = BlockPixel<Elements>;
  static constexpr int channels = Pixel::channels;
  float means[channels], factors[channels], terms[channels];

  void set(int lane, double mean, double factor, float term) {
    means[lane] = float(mean), factors[lane] = float(factor), terms[lane] = term;
  }
  void normalize(const float* x, float* y, idx pixels) const {
    for (idx i = 0; i < pixels; ++i, x += channel_block, y += channel_block)
      for (int r = 0; r < Pixel::count; ++r) {
        const int l = r * vector_floats;
        Pixel::put((Pixel::get(x, r) - load(means + l)) * load(factors + l) + load(terms + l), y, r);
      }
  }
};

/// A batch norm with running statistics on a tensor in blocks.
template <class Elements> void normalize_blocks(const ops::BatchNorm& op, const Call& call) {
  const Input& x = call.in[0];
  const float *weight = call.parameters[0].floats(), *bias = call.parameters[1].floats();
  const float *mean = call.parameters[2].floats(), *variance = call.parameters[3].floats();
  constexpr int channels = Lanes<Elements>::channels;
  const idx area = x.dims[2] * x.dims[3], blocks = divide_up(x.dims[1], channels);
  for (idx b = 0; b < blocks; ++b) {
    Lanes<Elements> lanes{};
    for (idx l = 0, c = b * channels; l < channels && c < x.dims[1]; ++l, ++c)
      lanes.set(int(l), mean[c], (weight ? double(weight[c]) : 1.) / math::sqrt(double(variance[c]) + op.eps),
                bias ? bias[c] : 0.f);
    for (idx n = 0; n < x.dims[0]; ++n)
      lanes.normalize(x.item(n) + b * area * channel_block, call.out.item(n) + b * area * channel_block, area);
  }
}

/// Sums of f(channel, value) over the pixels of a block, one a channel, added to `sums`.
template <class F> void add_lanes(const float* x, idx pixels, double* sums, F f) {
  double lanes[channel_block]{};
  for (idx i = 0; i < pixels; ++i, x += channel_block)
    for (int l = 0; l < channel_block; ++l) lanes[l] += f(l, double(x[l]));
  for (int l = 0; l < channel_block; ++l) sums[l] += lanes[l];
}
/// Each lane becomes the sum of its group: `width` lanes side by side.
inline void sum_groups(double* lanes, idx width) {
  for (idx first = 0; first < channel_block; first += width) {
    double sum = 0;
    for (idx l = first; l < first + width; ++l) sum += lanes[l];
    for (idx l = first; l < first + width; ++l) lanes[l] = sum;
  }
}

/// A group norm on a blocked tensor: a group is a number of whole blocks, or a block is a number of whole groups.
inline void normalize_groups(const ops::GroupNorm& op, const Call& call) {
  const Input& x = call.in[0];
  const float *weight = call.parameters[0].floats(), *bias = call.parameters[1].floats();
  const idx area = x.dims[2] * x.dims[3], channels = x.dims[1] / op.groups, width = min(channels, channel_block),
            blocks = max(1, channels / channel_block), block = area * channel_block;
  for (idx n = 0; n < x.dims[0]; ++n)
    for (idx first = 0; first < divide_up(x.dims[1], channel_block); first += blocks) {
      const float* from = x.item(n) + first * block;
      double mean[channel_block]{}, scale[channel_block]{};
      for (idx b = 0; b < blocks; ++b) add_lanes(from + b * block, area, mean, [](int, double v) { return v; });
      sum_groups(mean, width);
      for (double& m : mean) m /= double(channels * area);
      for (idx b = 0; b < blocks; ++b)
        add_lanes(from + b * block, area, scale, [&](int l, double v) { return (v - mean[l]) * (v - mean[l]); });
      sum_groups(scale, width);
      for (double& s : scale) s = 1 / math::sqrt(s / double(channels * area) + op.eps);
      for (idx b = 0; b < blocks; ++b) {
        Lanes<Floats> lanes{};
        for (idx l = 0, c = (first + b) * channel_block; l < channel_block && c < x.dims[1]; ++l, ++c)
          lanes.set(int(l), mean[l], weight ? scale[l] * double(weight[c]) : scale[l], bias ? bias[c] : 0.f);
        lanes.normalize(from + b * block, call.out.item(n) + (first + b) * block, area);
      }
    }
}
}  // namespace detail

/// Parameters: weight, bias, running_mean, running_var. Without the running ones the statistics are the batch's, and
/// the tensor is planar. out may be in[0].
template <class Elements = Floats> void run(const ops::BatchNorm& op, const Call& call) {
  const Input& x = call.in[0];
  if (x.layout != Layout::planar) return detail::normalize_blocks<Elements>(op, call);
  const float *weight = call.parameters[0].floats(), *bias = call.parameters[1].floats();
  const float *running_mean = call.parameters[2].floats(), *running_var = call.parameters[3].floats();
  const bool running = running_mean && running_var;
  const idx area = product(x.dims, 2, x.dims.rank), samples = x.dims[0] * area;
  for (idx c = 0; c < x.dims[1]; ++c) {
    double mean = 0, variance = 0;
    if (running) mean = running_mean[c], variance = running_var[c];
    else {
      for (idx n = 0; n < x.dims[0]; ++n) mean += sum_row(x.item(n) + c * area, area);
      mean /= double(samples);
      for (idx n = 0; n < x.dims[0]; ++n) variance += detail::sum_of_squares_about(mean, x.item(n) + c * area, area);
      variance /= double(samples);
    }
    const float factor = float((weight ? double(weight[c]) : 1.) / math::sqrt(variance + op.eps));
    for (idx n = 0; n < x.dims[0]; ++n)
      detail::normalize_row(x.item(n) + c * area, call.out.item(n) + c * area, area, float(mean), factor,
                            bias ? bias[c] : 0.f);
  }
}

/// Parameters: weight, bias.
inline void run(const ops::LayerNorm& op, const Call& call) {
  const idx n = count(op.normalized), rows = product(call.in[0].dims, 0, call.in[0].dims.rank - op.normalized.rank);
  const float *weight = call.parameters[0].floats(), *bias = call.parameters[1].floats();
  for (idx i = 0; i < rows; ++i) {
    const float* x = call.in[0].floats() + i * n;
    float* y = call.out.floats() + i * n;
    const double mean = sum_row(x, n) / double(n), variance = detail::sum_of_squares_about(mean, x, n) / double(n);
    detail::normalize_row(x, y, n, float(mean), float(1 / math::sqrt(variance + op.eps)), 0);
    if (weight) map_rows(y, weight, y, n, [](vector v, vector w) { return v * w; });
    if (bias) add_row(bias, y, n);
  }
}

/// True if the kernel takes blocked tensors: a group is a number of whole blocks of channels, or a block is a number of
/// whole groups.
constexpr bool suits_blocks(const ops::GroupNorm& op) {
  const idx channels = op.num_channels / op.groups;
  return channels % channel_block == 0 || (channel_block % channels == 0);
}

/// Parameters: weight, bias.
inline void run(const ops::GroupNorm& op, const Call& call) {
  const Input& x = call.in[0];
  if (x.layout == Layout::blocked) return detail::normalize_groups(op, call);
  const float *weight = call.parameters[0].floats(), *bias = call.parameters[1].floats();
  const idx area = product(x.dims, 2, x.dims.rank), channels = x.dims[1] / op.groups, size = channels * area;
  for (idx n = 0; n < x.dims[0]; ++n)
    for (idx g = 0; g < op.groups; ++g) {
      const float* group = x.item(n) + g * size;
      const double mean = sum_row(group, size) / double(size);
      const double scale = 1 / math::sqrt(detail::sum_of_squares_about(mean, group, size) / double(size) + op.eps);
      for (idx i = 0; i < channels; ++i) {
        const idx c = g * channels + i;
        detail::normalize_row(group + i * area, call.out.item(n) + c * area, area, float(mean),
                              float(weight ? scale * weight[c] : scale), bias ? bias[c] : 0.f);
      }
    }
}

}  // namespace lamina::inline LAMINA_ISA::host
