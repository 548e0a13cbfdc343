/// What makes sense together in descriptors of the emulated cuDNN. It refuses what cuDNN 9.19 refuses, and wrong graphs
/// that cuDNN accepts: a bias whose channels do not fit, tensors that are never written.
#include "values.hpp"
#include <algorithm>
#include <numeric>
#include <set>

namespace emulation {
namespace {

using Dims = std::vector<std::int64_t>;

std::string text_of_dims(const Dims& dims) {
  std::string text = "[";
  for (std::size_t i = 0; i < dims.size(); ++i) text += (i ? ", " : "") + std::to_string(dims[i]);
  return text + "]";
}

Verdict check_tensor(const Descriptor& descriptor) {
  const TensorShape tensor = shape_of(descriptor);
  if (tensor.type != CUDNN_DATA_FLOAT && tensor.type != CUDNN_DATA_HALF && tensor.type != CUDNN_DATA_BFLOAT16)
    return unsupported("tensor: only float, half and bfloat16 are emulated");
  if (descriptor.get<char>(CUDNN_ATTR_TENSOR_IS_BY_VALUE) != 0) return unsupported("tensor: by value");
  if (tensor.dims.size() != tensor.strides.size() || tensor.dims.size() < 3 || tensor.dims.size() > CUDNN_DIM_MAX)
    return bad("tensor: 3 to 8 dimensions, and as many strides");
  for (std::size_t i = 0; i < tensor.dims.size(); ++i)
    if (tensor.dims[i] <= 0 || tensor.strides[i] <= 0) return bad("tensor: extents " + text_of_dims(tensor.dims));
  if (tensor.alignment <= 0 || tensor.alignment % std::int64_t(size_of(tensor.type)) != 0)
    return bad("tensor: alignment " + std::to_string(tensor.alignment) + " for elements of " +
               std::to_string(size_of(tensor.type)) + " bytes");
  std::vector<std::size_t> order(tensor.dims.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return tensor.strides[a] < tensor.strides[b]; });
  std::int64_t reached = 1;
  for (const auto i : order) {
    if (tensor.dims[i] == 1) continue;
    if (tensor.strides[i] < reached)
      return bad("tensor: elements share addresses: strides " + text_of_dims(tensor.strides));
    reached = tensor.strides[i] * tensor.dims[i];
  }
  return {};
}

Verdict check_convolution_window(const Descriptor& window) {
  const auto spatial = std::size_t(window.get<std::int64_t>(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS));
  if (spatial != 2) return unsupported("convolution: only two spatial dimensions are emulated");
  for (const auto name : {CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES,
                          CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS}) {
    const Dims values = window.all<std::int64_t>(name);
    const bool is_padding = name == CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS || name == CUDNN_ATTR_CONVOLUTION_POST_PADDINGS;
    if (values.size() != spatial) return bad("convolution: a list that is not as long as the spatial dimensions");
    for (const auto value : values)
      if (value < (is_padding ? 0 : 1)) return bad("convolution: " + text_of_dims(values));
  }
  if (window.get<int>(CUDNN_ATTR_CONVOLUTION_COMP_TYPE) != CUDNN_DATA_FLOAT)
    return unsupported("convolution: sums in float only");
  if (window.get<int>(CUDNN_ATTR_CONVOLUTION_CONV_MODE) != CUDNN_CROSS_CORRELATION)
    return unsupported("convolution: only cross-correlation is emulated");
  return {};
}

Verdict check_resample_window(const Descriptor& window) {
  const auto mode = window.get<cudnnResampleMode_t>(CUDNN_ATTR_RESAMPLE_MODE);
  if (mode == CUDNN_RESAMPLE_NEAREST || mode == CUDNN_RESAMPLE_BILINEAR)
    return unsupported("resample: only windows are emulated");
  const auto spatial = std::size_t(window.get<std::int64_t>(CUDNN_ATTR_RESAMPLE_SPATIAL_DIMS));
  for (const auto name : {CUDNN_ATTR_RESAMPLE_WINDOW_DIMS, CUDNN_ATTR_RESAMPLE_PRE_PADDINGS,
                          CUDNN_ATTR_RESAMPLE_POST_PADDINGS, CUDNN_ATTR_RESAMPLE_STRIDES}) {
    const auto values = window.all<cudnnFraction_t>(name);
    if (values.size() != spatial || spatial != 2) return bad("resample: lists of two fractions");
    for (const auto value : values)
      if (value.denominator != 1 || value.numerator < 0) return bad("resample: an extent that is no whole number");
  }
  const auto padding = window.get<cudnnPaddingMode_t>(CUDNN_ATTR_RESAMPLE_PADDING_MODE);
  if (mode == CUDNN_RESAMPLE_MAXPOOL && padding != CUDNN_NEG_INF_PAD)
    return bad("resample: maxima are padded by minus infinity");
  return window.get<int>(CUDNN_ATTR_RESAMPLE_COMP_TYPE) == CUDNN_DATA_FLOAT ? Verdict{}
                                                                            : unsupported("resample: in float only");
}

/// Extents of image, filter and result, whichever of image and result is computed.
Verdict check_convolution(const Descriptor& operation) {
  const bool backward = operation.type == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR;
  const auto alpha =
      backward ? CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA : CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA;
  const auto beta =
      backward ? CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA : CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA;
  if (operation.get<float>(alpha) != 1 || operation.get<float>(beta) != 0)
    return unsupported("convolution: only alpha 1 and beta 0 are emulated");
  const Operands operands = operands_of(operation);
  const Descriptor &input = *operands.reads[0], &filter = *operands.reads[1];
  const Descriptor &image = backward ? *operands.writes : input, &result = backward ? input : *operands.writes;
  const Descriptor& window = *operation.child(backward ? CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC
                                                       : CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC);
  const Dims x = shape_of(image).dims, w = shape_of(filter).dims, y = shape_of(result).dims;
  if (x.size() != 4 || w.size() != 4 || y.size() != 4) return bad("convolution: tensors of four dimensions");
  if (x[1] % w[1] != 0 || x[0] != y[0] || w[0] != y[1] || w[0] % (x[1] / w[1]) != 0)
    return bad("convolution: image " + text_of_dims(x) + ", filter " + text_of_dims(w) + ", result " + text_of_dims(y));
  const auto before = window.all<std::int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS);
  const auto behind = window.all<std::int64_t>(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS);
  const auto stride = window.all<std::int64_t>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES);
  const auto dilation = window.all<std::int64_t>(CUDNN_ATTR_CONVOLUTION_DILATIONS);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto room = x[2 + i] + before[i] + behind[i] - dilation[i] * (w[2 + i] - 1) - 1;
    if (room < 0 || y[2 + i] != room / stride[i] + 1)
      return bad("convolution: is_valid_spatial_dim, image " + text_of_dims(x) + ", filter " + text_of_dims(w) +
                 ", result " + text_of_dims(y));
  }
  if (shape_of(input).type != shape_of(filter).type) return unsupported("convolution: factors of different types");
  return {};
}

/// Each operand has the extents of the result, or 1.
Verdict check_pointwise(const Descriptor& operation) {
  const auto mode = operation.child(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR)
                        ->get<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE);
  if (!pointwise_function(mode)) return unsupported("pointwise: mode " + std::to_string(mode) + " is not emulated");
  if (operation.get<float>(CUDNN_ATTR_OPERATION_POINTWISE_ALPHA1, 1) != 1 ||
      operation.get<float>(CUDNN_ATTR_OPERATION_POINTWISE_ALPHA2, 1) != 1)
    return unsupported("pointwise: factors of operands are not emulated");
  const Operands operands = operands_of(operation);
  if (operands.reads.size() != (has_two_operands(mode) ? 2u : 1u))
    return bad("pointwise " + std::to_string(mode) + ": " + std::to_string(operands.reads.size()) + " operands");
  const Dims result = shape_of(*operands.writes).dims;
  Dims covered(result.size(), 1);
  for (const Descriptor* operand : operands.reads) {
    const Dims dims = shape_of(*operand).dims;
    if (dims.size() != result.size()) return bad("pointwise: operands of different rank");
    for (std::size_t i = 0; i < dims.size(); ++i) {
      covered[i] = std::max(covered[i], dims[i]);
      if (dims[i] != result[i] && dims[i] != 1)
        return bad("pointwise: " + text_of_dims(dims) + " cannot be broadcast to " + text_of_dims(result));
    }
  }
  return covered == result ? Verdict{}
                           : bad("pointwise: the result " + text_of_dims(result) + " is larger than its operands");
}

Verdict check_matmul(const Descriptor& operation) {
  const Operands operands = operands_of(operation);
  const Dims a = shape_of(*operands.reads[0]).dims, b = shape_of(*operands.reads[1]).dims,
             c = shape_of(*operands.writes).dims;
  const bool fits = a.size() == 3 && b.size() == 3 && c.size() == 3 && a[2] == b[1] && c[1] == a[1] && c[2] == b[2] &&
                    (a[0] == c[0] || a[0] == 1) && (b[0] == c[0] || b[0] == 1);
  return fits ? Verdict{} : bad("matmul: " + text_of_dims(a) + " by " + text_of_dims(b) + " gives " + text_of_dims(c));
}

Verdict check_reduction(const Descriptor& operation) {
  const Operands operands = operands_of(operation);
  const Dims x = shape_of(*operands.reads[0]).dims, y = shape_of(*operands.writes).dims;
  bool fits = x.size() == y.size();
  for (std::size_t i = 0; fits && i < x.size(); ++i) fits = y[i] == 1 || y[i] == x[i];
  return fits ? Verdict{} : bad("reduction: from " + text_of_dims(x) + " to " + text_of_dims(y));
}

Verdict check_resample(const Descriptor& operation) {
  if (operation.get<double>(pooling_alpha, 1) != 1 || operation.get<double>(pooling_beta, 0) != 0)
    return unsupported("resample: only alpha 1 and beta 0 are emulated");
  const Descriptor& window = *operation.child(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_DESC);
  const Operands operands = operands_of(operation);
  const Dims x = shape_of(*operands.reads[0]).dims, y = shape_of(*operands.writes).dims;
  const auto wrong = [&] { return bad("resample: from " + text_of_dims(x) + " to " + text_of_dims(y)); };
  if (x.size() != 4 || y.size() != 4 || x[0] != y[0] || x[1] != y[1]) return wrong();
  const auto size = window.all<cudnnFraction_t>(CUDNN_ATTR_RESAMPLE_WINDOW_DIMS);
  const auto stride = window.all<cudnnFraction_t>(CUDNN_ATTR_RESAMPLE_STRIDES);
  const auto before = window.all<cudnnFraction_t>(CUDNN_ATTR_RESAMPLE_PRE_PADDINGS);
  const auto behind = window.all<cudnnFraction_t>(CUDNN_ATTR_RESAMPLE_POST_PADDINGS);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto room = x[2 + i] + before[i].numerator + behind[i].numerator - size[i].numerator;
    if (room < 0 || stride[i].numerator < 1 || y[2 + i] != room / stride[i].numerator + 1) return wrong();
  }
  return {};
}

/// Every virtual tensor is written once, before it is read, and read; results are written once.
Verdict check_graph(const Descriptor& graph) {
  std::set<std::int64_t> written, read;
  std::map<std::int64_t, const Descriptor*> tensors;
  for (const auto& operation : graph.children(CUDNN_ATTR_OPERATIONGRAPH_OPS)) {
    const Operands operands = operands_of(*operation);
    if (!operands.writes) return unsupported("a graph with an operation that is not emulated");
    for (const Descriptor* tensor : operands.reads) {
      const TensorShape shape = shape_of(*tensor);
      if (shape.is_virtual && written.count(shape.uid) == 0)
        return bad("virtual tensor " + std::to_string(shape.uid) + " is read and not yet written");
      read.insert(shape.uid);
      tensors.emplace(shape.uid, tensor);
    }
    const TensorShape result = shape_of(*operands.writes);
    if (read.count(result.uid) != 0)
      return bad("tensor " + std::to_string(result.uid) + " is written after it was read");
    if (!written.insert(result.uid).second) return bad("tensor " + std::to_string(result.uid) + " is written twice");
    tensors.emplace(result.uid, operands.writes);
  }
  for (const auto& [uid, tensor] : tensors)
    if (shape_of(*tensor).is_virtual && read.count(uid) == 0)
      return bad("virtual tensor " + std::to_string(uid) + " is never read");
  return {};
}

}  // namespace

Verdict check_sense(const Descriptor& descriptor) {
  switch (descriptor.type) {
  case CUDNN_BACKEND_TENSOR_DESCRIPTOR: return check_tensor(descriptor);
  case CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR: return check_convolution_window(descriptor);
  case CUDNN_BACKEND_RESAMPLE_DESCRIPTOR: return check_resample_window(descriptor);
  case CUDNN_BACKEND_REDUCTION_DESCRIPTOR:
    return descriptor.get<int>(CUDNN_ATTR_REDUCTION_OPERATOR) == CUDNN_REDUCE_TENSOR_ADD
               ? Verdict{}
               : unsupported("reduction: only sums are emulated");
  case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
  case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR: return check_convolution(descriptor);
  case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR: return check_pointwise(descriptor);
  case CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR: return check_matmul(descriptor);
  case CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR: return check_reduction(descriptor);
  case CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR: return check_resample(descriptor);
  case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR: return check_graph(descriptor);
  case CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR:
    return descriptor.attributes.at(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS).count ==
                   descriptor.attributes.at(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS).count
               ? Verdict{}
               : bad("variant pack: as many pointers as tensors");
  default: return {};
  }
}

}  // namespace emulation
