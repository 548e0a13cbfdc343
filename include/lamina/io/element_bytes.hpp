/// The elements of a tensor as a file holds them.
#pragma once
#include "copy_elements.hpp"
#include "refuse.hpp"
#include <bit>
#include <optional>
#include <vector>

namespace lamina::io {

static_assert(std::endian::native == std::endian::little, "lamina: weight files are written on little-endian machines");

constexpr bool is_floating_point(Dtype dtype) {
  return dtype == Dtype::float64 || dtype == Dtype::float32 || dtype == Dtype::float16 || dtype == Dtype::bfloat16;
}

/// The dtype that a tensor is written in: floating-point ones in another if that is asked for (`net.half()` leaves
/// integers alone, too).
constexpr Dtype written_dtype(Dtype dtype, const std::optional<Dtype>& wanted) {
  return wanted && is_floating_point(dtype) ? *wanted : dtype;
}

/// The bytes of a tensor in C order, little-endian, in that dtype. They lie where they are already if they are like
/// that, and in `buffer` else.
[[gnu::noinline]] inline std::string_view element_bytes(const TensorRecord& tensor, Dtype dtype,
                                                        std::vector<std::byte>& buffer) {
  const std::size_t size = static_cast<std::size_t>(tensor.numel()) * item_size(dtype);
  const std::byte* data = tensor.data;
  const bool as_it_is = tensor.dtype == dtype && dtype != Dtype::boolean && tensor.contiguous() && !tensor.memory &&
                        !tensor.byte_swapped && !tensor.conjugated && !tensor.negated;
  if (!as_it_is && size > 0) {
    buffer.resize(size);
    copy_elements(tensor, dtype, buffer.data());
    data = buffer.data();
  }
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace lamina::io
