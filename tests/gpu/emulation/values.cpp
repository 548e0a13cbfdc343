/// Elements of tensors between their types in memory and float.
#include "values.hpp"
#include <functional>
#include <numeric>

namespace emulation {
namespace {

/// The dimensions from the outermost to the one whose elements are neighbours.
std::vector<std::size_t> order_of(std::size_t rank) {
  if (rank == 4) return {0, 2, 3, 1};
  std::vector<std::size_t> order(rank);
  std::iota(order.begin(), order.end(), std::size_t(0));
  return order;
}

float widened(std::uint16_t bfloat16) {
  const std::uint32_t bits = std::uint32_t(bfloat16) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// Cuts `dropped` bits of the mantissa off, rounding to nearest, ties to even.
float rounded(float value, unsigned dropped) {
  if (value != value) return value;
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  bits += (1u << (dropped - 1)) - 1 + (bits >> dropped & 1);
  bits = bits >> dropped << dropped;
  std::memcpy(&value, &bits, sizeof bits);
  return value;
}

std::uint16_t narrowed(float value) {
  if (value != value) return 0x7FFF;
  value = rounded(value, 16);
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return std::uint16_t(bits >> 16);
}

/// Calls visit(place in packed values, place in memory in elements).
template <class Visit> void for_each_element(const TensorShape& tensor, Visit visit) {
  const auto order = order_of(tensor.dims.size());
  std::vector<std::int64_t> index(order.size(), 0);
  const std::int64_t row = tensor.dims[order.back()], step = tensor.strides[order.back()];
  for (std::int64_t place = 0; place < tensor.elements(); place += row) {
    std::int64_t at = 0;
    for (std::size_t i = 0; i < order.size(); ++i) at += index[i] * tensor.strides[order[i]];
    for (std::int64_t i = 0; i < row; ++i) visit(std::size_t(place + i), at + i * step);
    for (std::size_t i = order.size() - 1; i-- > 0;) {
      if (++index[i] < tensor.dims[order[i]]) break;
      index[i] = 0;
    }
  }
}

template <class T, class Convert>
void read(const TensorShape& tensor, const char* memory, Values& values, Convert convert) {
  const T* from = reinterpret_cast<const T*>(memory);
  for_each_element(tensor, [&](std::size_t place, std::int64_t at) { values.elements[place] = convert(from[at]); });
}
template <class T, class Convert>
void write(const TensorShape& tensor, char* memory, const Values& values, Convert convert) {
  T* to = reinterpret_cast<T*>(memory);
  for_each_element(tensor, [&](std::size_t place, std::int64_t at) { to[at] = convert(values.elements[place]); });
}

}  // namespace

Values::Values(std::vector<std::int64_t> extents)
    : dims(std::move(extents)),
      elements(std::size_t(std::accumulate(dims.begin(), dims.end(), std::int64_t(1), std::multiplies<>()))) {}

std::vector<std::int64_t> Values::strides() const {
  std::vector<std::int64_t> result(dims.size());
  const auto order = order_of(dims.size());
  std::int64_t step = 1;
  for (std::size_t i = order.size(); i-- > 0;) {
    result[order[i]] = step;
    step *= dims[order[i]];
  }
  return result;
}

Values load(const TensorShape& tensor, const char* memory) {
  Values values(tensor.dims);
  switch (tensor.type) {
  case CUDNN_DATA_HALF: read<_Float16>(tensor, memory, values, [](_Float16 value) { return float(value); }); break;
  case CUDNN_DATA_BFLOAT16: read<std::uint16_t>(tensor, memory, values, widened); break;
  default: read<float>(tensor, memory, values, [](float value) { return value; });
  }
  return values;
}

void store(const TensorShape& tensor, const Values& values, char* memory) {
  switch (tensor.type) {
  case CUDNN_DATA_HALF: return write<_Float16>(tensor, memory, values, [](float value) { return _Float16(value); });
  case CUDNN_DATA_BFLOAT16: return write<std::uint16_t>(tensor, memory, values, narrowed);
  default: return write<float>(tensor, memory, values, [](float value) { return value; });
  }
}

void round_to(cudnnDataType_t type, Values& values) {
  if (type == CUDNN_DATA_HALF)
    for (float& value : values.elements) value = float(_Float16(value));
  if (type == CUDNN_DATA_BFLOAT16)
    for (float& value : values.elements) value = widened(narrowed(value));
}

void round_to_tensorfloat32(Values& values) {
  for (float& value : values.elements) value = rounded(value, 13);
}

}  // namespace emulation
