/// Which elements of the input an element of a result depends on.
#pragma once
#include "module_costs.hpp"

namespace lamina {

/// Height and width of the part of an image that one element of a value depends on, padding included.
struct ReceptiveField {
  idx height = 0, width = 0;
  friend constexpr bool operator==(const ReceptiveField&, const ReceptiveField&) = default;
};

namespace detail {
/// The elements of a value that are needed: an interval in each dimension. It may reach into what is padding.
struct Region {
  idx first[max_rank]{}, last[max_rank]{};
  bool needed = false;

  constexpr void all(int dim, const Dims& x) { first[dim] = 0, last[dim] = x[dim] - 1; }
  constexpr void all(const Dims& x) {
    for (int d = 0; d < x.rank; ++d) all(d, x);
  }
  /// Takes in another region of the same value.
  constexpr void add(const Region& other) {
    for (int d = 0; d < max_rank; ++d) {
      first[d] = needed && first[d] < other.first[d] ? first[d] : other.first[d];
      last[d] = needed && last[d] > other.last[d] ? last[d] : other.last[d];
    }
    needed = true;
  }
};

constexpr idx floor_div(idx a, idx b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }
constexpr idx ceil_div(idx a, idx b) { return -floor_div(-a, b); }
constexpr idx floor_of(double x) {
  const idx n = idx(x);
  return double(n) > x ? n - 1 : n;
}

/// What a window needs for the outputs first to last: [i * stride - before, i * stride - before + reach - 1].
constexpr void window_needs(Region& r, int dim, const ops::Window& w) {
  r.first[dim] = r.first[dim] * w.stride - w.before;
  r.last[dim] = r.last[dim] * w.stride - w.before + w.reach() - 1;
}
/// Input j reaches the outputs j * stride - before + [0, reach - 1].
constexpr void transposed_window_needs(Region& r, int dim, const ops::Window& w) {
  r.first[dim] = ceil_div(r.first[dim] + w.before - (w.reach() - 1), w.stride);
  r.last[dim] = floor_div(r.last[dim] + w.before, w.stride);
}
/// Source positions as in ops/upsample.hpp, without the bounds of the image.
constexpr void upsample_needs(Region& r, int dim, const ops::Upsample& op, idx in, idx out, double scale) {
  const double step = scale > 0 ? 1 / scale : double(in) / double(out);
  const auto lowest = [&](idx i) {
    if (op.mode == ops::Upsample::Mode::nearest) return floor_of(double(i) * step);
    if (op.align_corners) return out == 1 ? idx(0) : floor_div(i * (in - 1), out - 1);
    return floor_of((double(i) + 0.5) * step - 0.5);
  };
  const auto highest = [&](idx i) {
    if (op.mode == ops::Upsample::Mode::nearest) return lowest(i);
    if (op.align_corners) return out == 1 ? idx(0) : ceil_div(i * (in - 1), out - 1);
    return -floor_of(-((double(i) + 0.5) * step - 0.5));
  };
  r.first[dim] = lowest(r.first[dim]);
  r.last[dim] = highest(r.last[dim]);
}
/// The dimensions of y that broadcast from x, aligned at the last.
constexpr Region broadcast_needs(const Region& y, const Dims& y_dims, const Dims& x) {
  Region r;
  for (int d = 0; d < x.rank; ++d) {
    const int from = d + y_dims.rank - x.rank;
    if (x[d] == 1 && y_dims[from] != 1) r.all(d, x);
    else r.first[d] = y.first[from], r.last[d] = y.last[from];
  }
  return r;
}

/// What an operation needs of its operand number `k`, for a region of its result.
constexpr Region needs(const Graph& graph, const Node& node, const Region& y, int k) {
  const Operation& op = node.operation;
  const Dims &x = graph.input_dims(node, k), &out = node.dims;
  Region r = y;
  if (is<ops::Conv2d>(op)) {
    const ops::Window2d& w = as<ops::Conv2d>(op).window;
    r.all(1, x), window_needs(r, 2, w.height), window_needs(r, 3, w.width);
  } else if (is<ops::MaxPool2d>(op)) {
    const ops::Window2d& w = as<ops::MaxPool2d>(op).window;
    window_needs(r, 2, w.height), window_needs(r, 3, w.width);
  } else if (is<ops::AvgPool2d>(op)) {
    const ops::Window2d& w = as<ops::AvgPool2d>(op).window;
    window_needs(r, 2, w.height), window_needs(r, 3, w.width);
  } else if (is<ops::ConvTranspose2d>(op)) {
    const ops::Window2d& w = as<ops::ConvTranspose2d>(op).window;
    r.all(1, x), transposed_window_needs(r, 2, w.height), transposed_window_needs(r, 3, w.width);
  } else if (is<ops::Upsample>(op)) {
    const ops::Upsample& up = as<ops::Upsample>(op);
    upsample_needs(r, 2, up, x[2], out[2], up.scale_height);
    upsample_needs(r, 3, up, x[3], out[3], up.scale_width);
  } else if (is<ops::AdaptiveAvgPool2d>(op)) {
    for (const int d : {2, 3}) {
      r.first[d] = floor_div(y.first[d] * x[d], out[d]);
      r.last[d] = ceil_div((y.last[d] + 1) * x[d], out[d]) - 1;
    }
  } else if (is<ops::PadTo>(op)) {
    if (k == 1) return {};  // only its extents
    for (const int d : {2, 3}) {
      const idx before = ops::PadTo::before(x[d], out[d]);
      r.first[d] -= before, r.last[d] -= before;
    }
  } else if (is<ops::Pad>(op)) {
    for (int d = 0; d < x.rank; ++d) {
      const idx before = as<ops::Pad>(op).before(d, x.rank);
      r.first[d] -= before, r.last[d] -= before;
    }
  } else if (is<ops::Binary>(op)) r = broadcast_needs(y, out, x);
  else if (is<ops::Cat>(op)) r.all(wrap_dim(as<ops::Cat>(op).dim, x.rank), x);
  else if (is<ops::Linear>(op)) r.all(x.rank - 1, x);
  else if (is<ops::Unsqueeze>(op)) {
    const int dim = wrap_dim(as<ops::Unsqueeze>(op).dim, out.rank);
    for (int d = dim; d < x.rank; ++d) r.first[d] = y.first[d + 1], r.last[d] = y.last[d + 1];
  } else if (is<ops::Flatten>(op) && out.rank < x.rank) {
    const int first = wrap_dim(as<ops::Flatten>(op).start_dim, x.rank), merged = x.rank - out.rank;
    for (int d = 0; d < x.rank; ++d)
      if (d > first + merged) r.first[d] = y.first[d - merged], r.last[d] = y.last[d - merged];
      else if (d >= first) r.all(d, x);
  } else if (is<ops::Softmax>(op)) r.all(wrap_dim(as<ops::Softmax>(op).dim, x.rank), x);
  else if (is<ops::LayerNorm>(op))
    for (int d = x.rank - as<ops::LayerNorm>(op).normalized.rank; d < x.rank; ++d) r.all(d, x);
  else if (is<ops::GroupNorm>(op))
    for (int d = 1; d < x.rank; ++d) r.all(d, x);
  else if (is<ops::BatchNorm>(op)) {
    for (int d = 0; d < x.rank && !as<ops::BatchNorm>(op).tracked; ++d)
      if (d != 1) r.all(d, x);
  } else if (!is<ops::Activation>(op) && !is<ops::Identity>(op) && !is<ops::Copy>(op)) r.all(x);  // views, products
  r.needed = true;
  return r;
}

/// The region of input number 0 that an element of a value depends on.
constexpr Region needed_input(const Graph& graph, int value, const Region& element) {
  Table<Region> regions(value + 1);
  regions[value] = element;
  Region input;
  for (int at = value; at >= 0; --at) {
    const Node& node = graph.nodes[std::size_t(at)];
    if (!regions[at].needed) continue;
    if (is<ops::Input>(node.operation) && as<ops::Input>(node.operation).index == 0) input.add(regions[at]);
    for (int k = 0; k < node.inputs; ++k)
      if (const Region r = needs(graph, node, regions[at], k); r.needed) regions[graph.input(node, k)].add(r);
  }
  return input;
}

/// Where a net enlarges its images, elements side by side see parts of different size: the pattern repeats after as
/// many elements as the smallest image is smaller than the input.
constexpr idx pattern_length(const Graph& graph, int value, const Dims& input) {
  bool enlarges = false;
  idx length = 1;
  for (int at = 0; at <= value; ++at) {
    const Node& node = graph.nodes[std::size_t(at)];
    enlarges = enlarges || is<ops::Upsample>(node.operation) || is<ops::ConvTranspose2d>(node.operation);
    if (node.dims.rank == input.rank && node.layer)
      for (int d = input.rank - 2; d < input.rank; ++d)
        if (node.dims[d] > 0 && ceil_div(input[d], node.dims[d]) > length) length = ceil_div(input[d], node.dims[d]);
  }
  return enlarges ? length : 1;
}

constexpr ReceptiveField receptive_field_of(const Graph& graph, int value) {
  const Dims &dims = graph.nodes[std::size_t(value)].dims, &input = graph.nodes[0].dims;
  const int h = input.rank - 2, w = input.rank - 1;
  const bool image = dims.rank == input.rank;
  ReceptiveField largest;
  for (idx shift = 0, n = image ? pattern_length(graph, value, input) : 1; shift < n; ++shift) {
    Region element;
    element.needed = true;
    element.all(dims);
    if (image)
      for (const int d : {h, w}) {
        const idx middle = (dims[d] - 1) / 2 + shift;
        element.first[d] = element.last[d] = middle < dims[d] ? middle : dims[d] - 1;
      }
    const Region r = needed_input(graph, value, element);
    if (!r.needed) continue;
    if (r.last[h] - r.first[h] + 1 > largest.height) largest.height = r.last[h] - r.first[h] + 1;
    if (r.last[w] - r.first[w] + 1 > largest.width) largest.width = r.last[w] - r.first[w] + 1;
  }
  return largest;
}
}  // namespace detail
}  // namespace lamina
