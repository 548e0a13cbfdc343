/// Descriptors of the emulated cuDNN: the attributes of each kind, and what they say of tensors and operations.
#include "descriptor.hpp"
#include <functional>
#include <numeric>

namespace emulation {
namespace {

struct Rule {
  int name;
  cudnnBackendAttributeType_t type;
  bool required;
  bool is_list = false;
};

const std::map<cudnnBackendDescriptorType_t, std::vector<Rule>>& rules() {
  constexpr auto desc = CUDNN_TYPE_BACKEND_DESCRIPTOR;
  constexpr auto data = CUDNN_TYPE_DATA_TYPE;
  constexpr auto int64 = CUDNN_TYPE_INT64;
  static const std::map<cudnnBackendDescriptorType_t, std::vector<Rule>> table = {
      {CUDNN_BACKEND_TENSOR_DESCRIPTOR,
       {{CUDNN_ATTR_TENSOR_DATA_TYPE, data, true},
        {CUDNN_ATTR_TENSOR_DIMENSIONS, int64, true, true},
        {CUDNN_ATTR_TENSOR_STRIDES, int64, true, true},
        {CUDNN_ATTR_TENSOR_UNIQUE_ID, int64, true},
        {CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, int64, true},
        {CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, false},
        {CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, false}}},
      {CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR,
       {{CUDNN_ATTR_CONVOLUTION_COMP_TYPE, data, true},
        {CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, true},
        {CUDNN_ATTR_CONVOLUTION_DILATIONS, int64, true, true},
        {CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, int64, true, true},
        {CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, int64, true, true},
        {CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, int64, true, true},
        {CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, int64, true}}},
      {CUDNN_BACKEND_POINTWISE_DESCRIPTOR,
       {{CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, true},
        {CUDNN_ATTR_POINTWISE_MATH_PREC, data, true},
        {CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP, CUDNN_TYPE_DOUBLE, false},
        {CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP, CUDNN_TYPE_DOUBLE, false},
        {CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, CUDNN_TYPE_DOUBLE, false},
        {CUDNN_ATTR_POINTWISE_ELU_ALPHA, CUDNN_TYPE_DOUBLE, false},
        {CUDNN_ATTR_POINTWISE_SOFTPLUS_BETA, CUDNN_TYPE_DOUBLE, false},
        {CUDNN_ATTR_POINTWISE_SWISH_BETA, CUDNN_TYPE_DOUBLE, false}}},
      {CUDNN_BACKEND_MATMUL_DESCRIPTOR, {{CUDNN_ATTR_MATMUL_COMP_TYPE, data, true}}},
      {CUDNN_BACKEND_REDUCTION_DESCRIPTOR,
       {{CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE, true},
        {CUDNN_ATTR_REDUCTION_COMP_TYPE, data, true}}},
      {CUDNN_BACKEND_RESAMPLE_DESCRIPTOR,
       {{CUDNN_ATTR_RESAMPLE_MODE, CUDNN_TYPE_RESAMPLE_MODE, true},
        {CUDNN_ATTR_RESAMPLE_COMP_TYPE, data, true},
        {CUDNN_ATTR_RESAMPLE_PADDING_MODE, CUDNN_TYPE_PADDING_MODE, true},
        {CUDNN_ATTR_RESAMPLE_SPATIAL_DIMS, int64, true},
        {CUDNN_ATTR_RESAMPLE_WINDOW_DIMS, CUDNN_TYPE_FRACTION, true, true},
        {CUDNN_ATTR_RESAMPLE_PRE_PADDINGS, CUDNN_TYPE_FRACTION, true, true},
        {CUDNN_ATTR_RESAMPLE_POST_PADDINGS, CUDNN_TYPE_FRACTION, true, true},
        {CUDNN_ATTR_RESAMPLE_STRIDES, CUDNN_TYPE_FRACTION, true, true},
        {CUDNN_ATTR_RESAMPLE_NAN_PROPAGATION, cudnnBackendAttributeType_t(10), false}}},
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, desc, true},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, desc, true},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, desc, true},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, desc, true},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, true},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, true}}},
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, desc, true},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, desc, true},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, desc, true},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, desc, true},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, CUDNN_TYPE_FLOAT, true},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, CUDNN_TYPE_FLOAT, true}}},
      {CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, desc, true},
        {CUDNN_ATTR_OPERATION_POINTWISE_XDESC, desc, true},
        {CUDNN_ATTR_OPERATION_POINTWISE_BDESC, desc, false},
        {CUDNN_ATTR_OPERATION_POINTWISE_YDESC, desc, true},
        {CUDNN_ATTR_OPERATION_POINTWISE_ALPHA1, CUDNN_TYPE_FLOAT, false},
        {CUDNN_ATTR_OPERATION_POINTWISE_ALPHA2, CUDNN_TYPE_FLOAT, false}}},
      {CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_MATMUL_DESC, desc, true},
        {CUDNN_ATTR_OPERATION_MATMUL_ADESC, desc, true},
        {CUDNN_ATTR_OPERATION_MATMUL_BDESC, desc, true},
        {CUDNN_ATTR_OPERATION_MATMUL_CDESC, desc, true}}},
      {CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_REDUCTION_DESC, desc, true},
        {CUDNN_ATTR_OPERATION_REDUCTION_XDESC, desc, true},
        {CUDNN_ATTR_OPERATION_REDUCTION_YDESC, desc, true}}},
      {CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_RESAMPLE_FWD_DESC, desc, true},
        {CUDNN_ATTR_OPERATION_RESAMPLE_FWD_XDESC, desc, true},
        {CUDNN_ATTR_OPERATION_RESAMPLE_FWD_YDESC, desc, true},
        {pooling_alpha, CUDNN_TYPE_DOUBLE, false},
        {pooling_beta, CUDNN_TYPE_DOUBLE, false}}},
      {CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATIONGRAPH_OPS, desc, true, true}, {graph_handle, CUDNN_TYPE_HANDLE, false}}},
      {CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR,
       {{CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, desc, true},
        {CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, true},
        {CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, desc, false}}},
      {CUDNN_BACKEND_ENGINE_DESCRIPTOR,
       {{CUDNN_ATTR_ENGINE_OPERATION_GRAPH, desc, true},
        {CUDNN_ATTR_ENGINE_GLOBAL_INDEX, int64, true},
        {CUDNN_ATTR_ENGINE_DEVICEPROP, desc, false}}},
      {CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, {{CUDNN_ATTR_ENGINECFG_ENGINE, desc, true}}},
      {CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR,
       {{CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, desc, false},
        {plan_handle, CUDNN_TYPE_HANDLE, false},
        {CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, desc, false},
        {CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, false, true}}},
      {CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR,
       {{CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, int64, true, true},
        {CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, true, true},
        {CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, false}}},
      {CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR,
       {{CUDNN_ATTR_DEVICEPROP_DEVICE_ID, CUDNN_TYPE_INT32, false},
        {CUDNN_ATTR_DEVICEPROP_HANDLE, CUDNN_TYPE_HANDLE, false},
        {CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, false, true}}},
  };
  return table;
}

}  // namespace

std::size_t element_bytes(cudnnBackendAttributeType_t type) {
  switch (type) {
  case CUDNN_TYPE_FRACTION: return sizeof(cudnnFraction_t);
  case CUDNN_TYPE_INT64:
  case CUDNN_TYPE_DOUBLE:
  case CUDNN_TYPE_VOID_PTR:
  case CUDNN_TYPE_HANDLE:
  case CUDNN_TYPE_BACKEND_DESCRIPTOR: return 8;
  case CUDNN_TYPE_BOOLEAN:
  case CUDNN_TYPE_CHAR: return 1;
  default: return 4;
  }
}

Verdict check_attribute(const Descriptor& descriptor, int name, cudnnBackendAttributeType_t type, std::int64_t count) {
  const auto table = rules().find(descriptor.type);
  if (table == rules().end())
    return unsupported("descriptors of type " + std::to_string(descriptor.type) + " are not emulated");
  for (const Rule& rule : table->second) {
    if (rule.name != name) continue;
    if (rule.type != type)
      return bad("attribute " + std::to_string(name) + " has type " + std::to_string(rule.type) + ", not " +
                 std::to_string(type));
    if (count < 1 || (count > 1 && !rule.is_list))
      return bad("attribute " + std::to_string(name) + ": number of elements");
    return {};
  }
  return bad("descriptors of type " + std::to_string(descriptor.type) + " have no attribute " + std::to_string(name));
}

Verdict check_complete(const Descriptor& descriptor) {
  const auto table = rules().find(descriptor.type);
  if (table == rules().end())
    return unsupported("descriptors of type " + std::to_string(descriptor.type) + " are not emulated");
  for (const Rule& rule : table->second)
    if (rule.required && !descriptor.has(rule.name))
      return bad("descriptor of type " + std::to_string(descriptor.type) + " lacks attribute " +
                 std::to_string(rule.name));
  return check_sense(descriptor);
}

std::size_t size_of(cudnnDataType_t type) {
  switch (type) {
  case CUDNN_DATA_DOUBLE:
  case CUDNN_DATA_INT64: return 8;
  case CUDNN_DATA_HALF:
  case CUDNN_DATA_BFLOAT16: return 2;
  case CUDNN_DATA_INT8:
  case CUDNN_DATA_UINT8:
  case CUDNN_DATA_BOOLEAN: return 1;
  default: return 4;
  }
}

TensorShape shape_of(const Descriptor& tensor) {
  return {tensor.get<std::int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID),
          tensor.get<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE),
          tensor.all<std::int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS),
          tensor.all<std::int64_t>(CUDNN_ATTR_TENSOR_STRIDES),
          tensor.get<std::int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT),
          tensor.get<char>(CUDNN_ATTR_TENSOR_IS_VIRTUAL) != 0};
}

std::int64_t TensorShape::elements() const {
  return std::accumulate(dims.begin(), dims.end(), std::int64_t(1), std::multiplies<>());
}
std::int64_t TensorShape::bytes() const {
  std::int64_t last = 0;
  for (std::size_t i = 0; i < dims.size(); ++i) last += (dims[i] - 1) * strides[i];
  return (last + 1) * std::int64_t(size_of(type));
}

Operands operands_of(const Descriptor& operation) {
  Operands operands;
  const auto read = [&](int name) {
    if (const Descriptor* tensor = operation.child(name)) operands.reads.push_back(tensor);
  };
  switch (operation.type) {
  case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
    read(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X);
    read(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W);
    operands.writes = operation.child(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y);
    break;
  case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
    read(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY);
    read(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W);
    operands.writes = operation.child(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX);
    break;
  case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR:
    read(CUDNN_ATTR_OPERATION_POINTWISE_XDESC);
    read(CUDNN_ATTR_OPERATION_POINTWISE_BDESC);
    operands.writes = operation.child(CUDNN_ATTR_OPERATION_POINTWISE_YDESC);
    break;
  case CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR:
    read(CUDNN_ATTR_OPERATION_MATMUL_ADESC);
    read(CUDNN_ATTR_OPERATION_MATMUL_BDESC);
    operands.writes = operation.child(CUDNN_ATTR_OPERATION_MATMUL_CDESC);
    break;
  case CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR:
    read(CUDNN_ATTR_OPERATION_REDUCTION_XDESC);
    operands.writes = operation.child(CUDNN_ATTR_OPERATION_REDUCTION_YDESC);
    break;
  case CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR:
    read(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_XDESC);
    operands.writes = operation.child(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_YDESC);
    break;
  default: break;
  }
  return operands;
}

}  // namespace emulation
