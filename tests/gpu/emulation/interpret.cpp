/// The numbers of an operation graph: its operations one after another, each on whole tensors.
///
/// Virtual tensors are rounded to their type, as what is handed from one operation to the next.
#include "values.hpp"
#include <algorithm>
#include <cmath>

namespace emulation {
namespace {

using Size = std::int64_t;

/// Distances of an operand as seen from a result: 0 where it has an extent of 1.
std::vector<Size> broadcast_strides(const Values& operand) {
  auto strides = operand.strides();
  for (std::size_t i = 0; i < strides.size(); ++i)
    if (operand.dims[i] == 1) strides[i] = 0;
  return strides;
}

/// Calls visit(place in the result, places in the operands), in the order of the result's memory.
template <class Visit>
void for_each(const Values& result, const std::vector<Size>& a, const std::vector<Size>& b, Visit visit) {
  std::vector<std::size_t> order(result.dims.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto own = result.strides();
  std::sort(order.begin(), order.end(), [&](auto i, auto j) { return std::pair(own[j], i) < std::pair(own[i], j); });
  std::vector<Size> index(order.size(), 0);
  Size at_a = 0, at_b = 0;
  for (std::size_t place = 0; place < result.elements.size(); ++place) {
    visit(place, std::size_t(at_a), std::size_t(at_b));
    for (std::size_t i = order.size(); i-- > 0;) {
      const std::size_t dim = order[i];
      at_a += a[dim];
      at_b += b[dim];
      if (++index[dim] < result.dims[dim]) break;
      at_a -= a[dim] * index[dim];
      at_b -= b[dim] * index[dim];
      index[dim] = 0;
    }
  }
}

void apply(const Descriptor& pointwise, const Values& a, const Values* b, Values& result) {
  const PointwiseParameters parameters(pointwise);
  const auto function = pointwise_function(pointwise.get<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE));
  const Values& second = b ? *b : a;
  for_each(result, broadcast_strides(a), broadcast_strides(second),
           [&](std::size_t place, std::size_t at_a, std::size_t at_b) {
             result.elements[place] = function(parameters, a.elements[at_a], second.elements[at_b]);
           });
}

void sum(const Values& x, Values& result) {
  std::vector<double> sums(result.elements.size(), 0);
  for_each(x, broadcast_strides(result), broadcast_strides(result),
           [&](std::size_t place, std::size_t to, std::size_t) { sums[to] += double(x.elements[place]); });
  for (std::size_t i = 0; i < sums.size(); ++i) result.elements[i] = float(sums[i]);
}

void pool(const Descriptor& resample, const Values& x, Values& result) {
  const auto mode = resample.get<cudnnResampleMode_t>(CUDNN_ATTR_RESAMPLE_MODE);
  const auto whole = [&](int name, std::size_t axis) {
    return Size(resample.all<cudnnFraction_t>(name)[axis].numerator);
  };
  const Size size[] = {whole(CUDNN_ATTR_RESAMPLE_WINDOW_DIMS, 0), whole(CUDNN_ATTR_RESAMPLE_WINDOW_DIMS, 1)};
  const Size stride[] = {whole(CUDNN_ATTR_RESAMPLE_STRIDES, 0), whole(CUDNN_ATTR_RESAMPLE_STRIDES, 1)};
  const Size padding[] = {whole(CUDNN_ATTR_RESAMPLE_PRE_PADDINGS, 0), whole(CUDNN_ATTR_RESAMPLE_PRE_PADDINGS, 1)};
  const bool maximum = mode == CUDNN_RESAMPLE_MAXPOOL;
  const Size channels = x.dims[1], height = x.dims[2], width = x.dims[3];
  float* out = result.elements.data();
  for (Size n = 0; n < result.dims[0]; ++n)
    for (Size row = 0; row < result.dims[2]; ++row)
      for (Size column = 0; column < result.dims[3]; ++column, out += channels) {
        std::fill(out, out + channels, maximum ? -HUGE_VALF : 0.f);
        const Size top = row * stride[0] - padding[0], left = column * stride[1] - padding[1];
        Size inside = 0;
        for (Size y = std::max<Size>(top, 0); y < std::min(top + size[0], height); ++y)
          for (Size at = std::max<Size>(left, 0); at < std::min(left + size[1], width); ++at, ++inside) {
            const float* in = x.elements.data() + ((n * height + y) * width + at) * channels;
            for (Size c = 0; c < channels; ++c) {
              if (!maximum) out[c] += in[c];
              else if (in[c] > out[c] || in[c] != in[c]) out[c] = in[c];
            }
          }
        if (maximum) continue;
        const float count = float(mode == CUDNN_RESAMPLE_AVGPOOL_INCLUDE_PADDING ? size[0] * size[1] : inside);
        for (Size c = 0; c < channels; ++c) out[c] /= count;
      }
}

/// The result of an operation from the values of its operands.
void evaluate(const Descriptor& operation, const std::vector<const Values*>& operands, bool round_operands,
              Values& result) {
  const auto rounded = [&](std::size_t i) {
    Values values = *operands[i];
    if (round_operands) round_to_tensorfloat32(values);
    return values;
  };
  switch (operation.type) {
  case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
    return convolve(rounded(0), rounded(1), *operation.child(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC),
                    result);
  case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
    return convolve_backward_data(rounded(0), rounded(1),
                                  *operation.child(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC), result);
  case CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR: return multiply_matrices(rounded(0), rounded(1), result);
  case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR:
    return apply(*operation.child(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR), *operands[0],
                 operands.size() > 1 ? operands[1] : nullptr, result);
  case CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR: return sum(*operands[0], result);
  default: return pool(*operation.child(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_DESC), *operands[0], result);
  }
}

}  // namespace

void interpret(const Descriptor& graph, const std::map<std::int64_t, char*>& memory, bool round_operands) {
  std::map<std::int64_t, Values> values;
  for (const auto& operation : graph.children(CUDNN_ATTR_OPERATIONGRAPH_OPS)) {
    const Operands tensors = operands_of(*operation);
    std::vector<const Values*> operands;
    for (const Descriptor* tensor : tensors.reads) {
      const TensorShape shape = shape_of(*tensor);
      auto found = values.find(shape.uid);
      if (found == values.end()) found = values.emplace(shape.uid, load(shape, memory.at(shape.uid))).first;
      operands.push_back(&found->second);
    }
    const TensorShape shape = shape_of(*tensors.writes);
    Values result(shape.dims);
    evaluate(*operation, operands, round_operands, result);
    round_to(shape.type, result);
    if (!shape.is_virtual) store(shape, result, memory.at(shape.uid));
    values.emplace(shape.uid, std::move(result));
  }
}

}  // namespace emulation
