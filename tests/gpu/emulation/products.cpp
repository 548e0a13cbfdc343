/// Convolutions and products of matrices. Sums are floats, in the order of the filter's elements.
///
/// A convolution and its backward-data are one loop: each result is a sum over taps of the filter and channels of the
/// input, and differ in which row and column of the input a tap reads. Sixteen channels of the result are summed side
/// by side.
#include "values.hpp"
#include <algorithm>

namespace emulation {
namespace {

using Size = std::int64_t;
constexpr Size width = 16;

/// Sixteen sums, as vectors that every processor has.
struct Lanes {
  using Four = float __attribute__((vector_size(16)));
  Four parts[4]{};
  void add_product(float factor, const Lanes& other) {
    parts[0] += factor * other.parts[0];
    parts[1] += factor * other.parts[1];
    parts[2] += factor * other.parts[2];
    parts[3] += factor * other.parts[3];
  }
  float get(Size lane) const { return parts[lane / 4][lane % 4]; }
  void set(Size lane, float value) { parts[lane / 4][lane % 4] = value; }
};

/// Along one axis: the place of the input that a tap reads for a place of the result, -1 for padding.
std::vector<std::vector<Size>> forward_places(Size results, Size taps, Size inputs, Size stride, Size padding,
                                              Size dilation) {
  std::vector places(std::size_t(results), std::vector<Size>(std::size_t(taps), -1));
  for (Size result = 0; result < results; ++result)
    for (Size tap = 0; tap < taps; ++tap) {
      const Size input = result * stride - padding + tap * dilation;
      if (input >= 0 && input < inputs) places[std::size_t(result)][std::size_t(tap)] = input;
    }
  return places;
}

/// The same for the gradient of the image, whose inputs are the places of the gradient of the result.
std::vector<std::vector<Size>> backward_places(Size results, Size taps, Size inputs, Size stride, Size padding,
                                               Size dilation) {
  std::vector places(std::size_t(results), std::vector<Size>(std::size_t(taps), -1));
  const auto forward = forward_places(inputs, taps, results, stride, padding, dilation);
  for (Size input = 0; input < inputs; ++input)
    for (Size tap = 0; tap < taps; ++tap)
      if (const Size result = forward[std::size_t(input)][std::size_t(tap)]; result >= 0)
        places[std::size_t(result)][std::size_t(tap)] = input;
  return places;
}

/// Channels of one group: `in` of the input from `first_in`, `out` of the result from `first_out`.
struct Group {
  Size first_in, in, first_out, out;
};

/// Filters of sixteen channels of the result from `first`: [tap][channel of the input] lanes.
template <class Weight> std::vector<Lanes> panel_of(const Group& group, Size first, Size taps, Weight weight) {
  std::vector<Lanes> panel(std::size_t(taps * group.in), Lanes{});
  for (Size tap = 0; tap < taps; ++tap)
    for (Size in = 0; in < group.in; ++in)
      for (Size lane = 0; lane < std::min(width, group.out - first); ++lane)
        panel[std::size_t(tap * group.in + in)].set(lane, weight(tap, in, first + lane));
  return panel;
}

struct Axes {
  std::vector<std::vector<Size>> rows, columns;
};

void sum_panel(const Values& input, const Axes& axes, const Group& group, const std::vector<Lanes>& panel, Size first,
               Values& result) {
  const Size rows = input.dims[2], columns = input.dims[3], channels = input.dims[1];
  const Size lanes = std::min(width, group.out - first);
  float* out = result.elements.data() + group.first_out + first;
  for (Size n = 0; n < result.dims[0]; ++n)
    for (const auto& row_taps : axes.rows)
      for (const auto& column_taps : axes.columns) {
        Lanes sum{};
        const Lanes* weights = panel.data();
        for (const Size row : row_taps)
          for (const Size column : column_taps) {
            if (row >= 0 && column >= 0) {
              const float* in =
                  input.elements.data() + ((n * rows + row) * columns + column) * channels + group.first_in;
              for (Size c = 0; c < group.in; ++c) sum.add_product(in[c], weights[c]);
            }
            weights += group.in;
          }
        for (Size lane = 0; lane < lanes; ++lane) out[lane] = sum.get(lane);
        out += result.dims[1];
      }
}

struct Window {
  std::vector<Size> stride, padding, dilation;
  explicit Window(const Descriptor& window)
      : stride(window.all<Size>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES)),
        padding(window.all<Size>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS)),
        dilation(window.all<Size>(CUDNN_ATTR_CONVOLUTION_DILATIONS)) {}
};

/// The filter is [results of the convolution][rows][columns][channels of a group of its image] in memory.
float filter_at(const Values& filter, Size outer, Size tap, Size inner) {
  const Size taps = filter.dims[2] * filter.dims[3];
  return filter.elements[std::size_t((outer * taps + tap) * filter.dims[1] + inner)];
}

}  // namespace

void convolve(const Values& image, const Values& filter, const Descriptor& descriptor, Values& result) {
  const Window window(descriptor);
  const auto places = [&](std::size_t axis) {
    return forward_places(result.dims[2 + axis], filter.dims[2 + axis], image.dims[2 + axis], window.stride[axis],
                          window.padding[axis], window.dilation[axis]);
  };
  const Axes axes{places(0), places(1)};
  const Size groups = image.dims[1] / filter.dims[1], out = filter.dims[0] / groups;
  for (Size g = 0; g < groups; ++g) {
    const Group group{g * filter.dims[1], filter.dims[1], g * out, out};
    for (Size first = 0; first < out; first += width)
      sum_panel(image, axes, group,
                panel_of(group, first, filter.dims[2] * filter.dims[3],
                         [&](Size tap, Size in, Size k) { return filter_at(filter, group.first_out + k, tap, in); }),
                first, result);
  }
}

void convolve_backward_data(const Values& gradient, const Values& filter, const Descriptor& descriptor,
                            Values& result) {
  const Window window(descriptor);
  const auto places = [&](std::size_t axis) {
    return backward_places(result.dims[2 + axis], filter.dims[2 + axis], gradient.dims[2 + axis], window.stride[axis],
                           window.padding[axis], window.dilation[axis]);
  };
  const Axes axes{places(0), places(1)};
  const Size groups = result.dims[1] / filter.dims[1], in = filter.dims[0] / groups;
  for (Size g = 0; g < groups; ++g) {
    const Group group{g * in, in, g * filter.dims[1], filter.dims[1]};
    for (Size first = 0; first < group.out; first += width)
      sum_panel(gradient, axes, group,
                panel_of(group, first, filter.dims[2] * filter.dims[3],
                         [&](Size tap, Size k, Size c) { return filter_at(filter, group.first_in + k, tap, c); }),
                first, result);
  }
}

void multiply_matrices(const Values& a, const Values& b, Values& result) {
  const Size rows = a.dims[1], inner = a.dims[2], columns = b.dims[2];
  for (Size batch = 0; batch < result.dims[0]; ++batch) {
    const float* left = a.elements.data() + (a.dims[0] == 1 ? 0 : batch * rows * inner);
    const float* right = b.elements.data() + (b.dims[0] == 1 ? 0 : batch * inner * columns);
    for (Size row = 0; row < rows; ++row) {
      float* sums = result.elements.data() + (batch * rows + row) * columns;
      std::fill(sums, sums + columns, 0.f);
      for (Size k = 0; k < inner; ++k)
        for (Size column = 0; column < columns; ++column)
          sums[column] += left[row * inner + k] * right[k * columns + column];
    }
  }
}

}  // namespace emulation
