/// The elements of a tensor in a weight file, in C order and as another dtype.
#pragma once
#include "../core/dtype.hpp"
#include "../core/error.hpp"
#include "../core/list.hpp"
#include "refuse.hpp"
#include "state_dict.hpp"
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

namespace lamina::io {

namespace detail {

inline constexpr std::size_t block_size =
    256;  // elements converted at a time: the buffers stay in the first-level cache

constexpr bool is_complex(Dtype dtype) { return dtype == Dtype::complex64 || dtype == Dtype::complex128; }
constexpr bool is_unsigned(Dtype dtype) {
  return dtype == Dtype::boolean || dtype == Dtype::uint8 || dtype == Dtype::uint16 || dtype == Dtype::uint32 ||
         dtype == Dtype::uint64;
}

// Elements between their old and their new dtype: every real number fits a double and every integer 64 bits.
struct Block {
  enum Form : std::uint8_t { numbers, integers, unsigned_integers } form = numbers;
  double real[block_size], imaginary[block_size];
  std::int64_t integer[block_size];
};

// What follows runs for few files, and then at a few nanoseconds an element: the attribute `cold` asks for small code
// instead of a vectorised loop for each of 15 x 15 conversions, which was a tenth of the compile time of a program.

[[gnu::cold]] inline void gather(const std::byte* from, std::ptrdiff_t step, std::size_t count, std::size_t item,
                                 std::byte* to) {
  if (step == std::ptrdiff_t(item)) std::memcpy(to, from, count * item);
  else
    for (std::size_t i = 0; i < count; ++i, from += step, to += item) std::memcpy(to, from, item);
}

[[gnu::cold]] inline void swap_bytes(std::byte* bytes, std::size_t unit, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i, bytes += unit)
    for (std::size_t a = 0, b = unit - 1; a < b; ++a, --b) std::swap(bytes[a], bytes[b]);
}

template <class T> double number_at(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  if constexpr (std::is_same_v<T, double>) return value;
  else return static_cast<float>(value);
}
template <class T> [[gnu::cold]] void load_numbers(const std::byte* from, bool pairs, std::size_t count, Block& block) {
  const std::size_t item = pairs ? 2 * sizeof(T) : sizeof(T);
  for (std::size_t i = 0; i < count; ++i, from += item) {
    block.real[i] = number_at<T>(from);
    block.imaginary[i] = pairs ? number_at<T>(from + sizeof(T)) : 0;
  }
}
// The value of an 8-bit floating-point number (OCP 8-bit floating point and microscaling;
// torch/headeronly/util/Float8*.h). The formats `fn` have no infinity, `uz` one zero and one NaN in place of -0,
// `e8m0fnu` only powers of two.
[[gnu::cold]] inline double float8_value(Dtype dtype, unsigned bits) {
  if (dtype == Dtype::float8_e8m0fnu) return bits == 0xff ? __builtin_nan("") : __builtin_ldexp(1, int(bits) - 127);
  const bool one_zero = dtype == Dtype::float8_e4m3fnuz || dtype == Dtype::float8_e5m2fnuz;
  const bool wide = dtype == Dtype::float8_e5m2 || dtype == Dtype::float8_e5m2fnuz;
  const int mantissa_bits = wide ? 2 : 3, bias = (wide ? 15 : 7) + one_zero;
  const unsigned magnitude = bits & 0x7fu, unit = 1u << mantissa_bits, mantissa = magnitude & (unit - 1);
  const int exponent = int(magnitude >> mantissa_bits);
  if (one_zero ? bits == 0x80 : magnitude > (wide ? 0x7cu : 0x7eu)) return __builtin_nan("");
  double value = __builtin_ldexp(exponent == 0 ? mantissa : mantissa + unit,
                                 (exponent == 0 ? 1 : exponent) - bias - mantissa_bits);
  if (dtype == Dtype::float8_e5m2 && magnitude == 0x7cu) value = __builtin_inf();
  return bits & 0x80u ? -value : value;
}

[[gnu::cold]] inline void load_integers(const std::byte* from, Dtype dtype, std::size_t count, Block& block) {
  const std::size_t item = item_size(dtype), unused_bits = 64 - 8 * item;
  for (std::size_t i = 0; i < count; ++i, from += item) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, from, item);
    bits <<= unused_bits;
    const auto extended = is_unsigned(dtype) ? static_cast<std::int64_t>(bits >> unused_bits)
                                             : static_cast<std::int64_t>(bits) >> unused_bits;
    // Bytes other than 0 and 1 are no bool in C++, but files can hold them.
    block.integer[i] = dtype == Dtype::boolean ? extended != 0 : extended;
  }
}
[[gnu::cold]] inline void load(Dtype dtype, const std::byte* from, std::size_t count, Block& block) {
  block.form = Block::numbers;
  switch (dtype) {
  case Dtype::float64: return load_numbers<double>(from, false, count, block);
  case Dtype::float32: return load_numbers<float>(from, false, count, block);
  case Dtype::float16: return load_numbers<float16>(from, false, count, block);
  case Dtype::bfloat16: return load_numbers<bfloat16>(from, false, count, block);
  case Dtype::complex64: return load_numbers<float>(from, true, count, block);
  case Dtype::complex128: return load_numbers<double>(from, true, count, block);
  case Dtype::float8_e4m3fn:
  case Dtype::float8_e5m2:
  case Dtype::float8_e4m3fnuz:
  case Dtype::float8_e5m2fnuz:
  case Dtype::float8_e8m0fnu:
    for (std::size_t i = 0; i < count; ++i)
      block.real[i] = float8_value(dtype, std::to_integer<unsigned>(from[i])), block.imaginary[i] = 0;
    return;
  default:
    block.form = dtype == Dtype::uint64 ? Block::unsigned_integers : Block::integers;
    load_integers(from, dtype, count, block);
  }
}

// C++ leaves a number out of range undefined; this is what PyTorch gives on x86, where the conversion to 32 or 64 bits
// yields the smallest number and narrower types take its low bits.
[[gnu::cold]] inline std::int64_t to_integer(double value, Dtype dtype) {
  if (dtype == Dtype::uint64 && value >= 0x1p63)
    return value < 0x1p64 ? static_cast<std::int64_t>(static_cast<std::uint64_t>(value)) : 0;
  if (item_size(dtype) == 8 || dtype == Dtype::uint32)
    return value >= -0x1p63 && value < 0x1p63 ? static_cast<std::int64_t>(value) : INT64_MIN;
  return value > -0x1p31 - 1 && value < 0x1p31 ? static_cast<std::int32_t>(value) : INT32_MIN;
}

template <class T> [[gnu::cold]] void store_numbers(const Block& block, std::size_t count, bool pairs, std::byte* to) {
  // PyTorch too goes to 16 bits by way of float.
  using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;
  const std::size_t item = pairs ? 2 * sizeof(T) : sizeof(T);
  for (std::size_t i = 0; i < count; ++i, to += item) {
    Wide real, imaginary = 0;
    if (block.form == Block::integers) real = static_cast<Wide>(block.integer[i]);
    else if (block.form == Block::unsigned_integers) real = static_cast<Wide>(std::uint64_t(block.integer[i]));
    else real = static_cast<Wide>(block.real[i]), imaginary = static_cast<Wide>(block.imaginary[i]);
    const T parts[2] = {T(real), T(imaginary)};
    std::memcpy(to, parts, item);
  }
}
[[gnu::cold]] inline void store_integers(Dtype dtype, const Block& block, std::size_t count, std::byte* to) {
  const std::size_t item = item_size(dtype);
  for (std::size_t i = 0; i < count; ++i, to += item) {
    std::int64_t value = block.integer[i];
    if (block.form == Block::numbers)
      value =
          dtype == Dtype::boolean ? block.real[i] != 0 || block.imaginary[i] != 0 : to_integer(block.real[i], dtype);
    if (dtype == Dtype::boolean) value = value != 0;
    std::memcpy(to, &value, item);  // the low bytes
  }
}
[[gnu::cold]] inline void store(Dtype dtype, const Block& block, std::size_t count, std::byte* to) {
  switch (dtype) {
  case Dtype::float64: return store_numbers<double>(block, count, false, to);
  case Dtype::float32: return store_numbers<float>(block, count, false, to);
  case Dtype::float16: return store_numbers<float16>(block, count, false, to);
  case Dtype::bfloat16: return store_numbers<bfloat16>(block, count, false, to);
  case Dtype::complex64: return store_numbers<float>(block, count, true, to);
  case Dtype::complex128: return store_numbers<double>(block, count, true, to);
  default: store_integers(dtype, block, count, to);
  }
}

// PyTorch keeps `conj()` and the imaginary part of it as notes on a view; here they are carried out.
[[gnu::cold]] inline void resolve(const TensorRecord& tensor, std::size_t count, Block& block) {
  for (std::size_t i = 0; i < count; ++i) {
    if (block.form != Block::numbers) {
      if (tensor.negated)
        block.integer[i] = static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(block.integer[i]));
      continue;
    }
    if (tensor.negated) block.real[i] = -block.real[i];
    if (tensor.negated != tensor.conjugated) block.imaginary[i] = -block.imaginary[i];
  }
}

// The dimensions of a tensor with neighbours merged that one stride walks: at best a single one.
struct Walk {
  struct Axis {
    std::int64_t size = 1, stride = 1, position = 0;
  };
  lamina::detail::List<Axis> axes;
  std::size_t last = 0;

  explicit Walk(const TensorRecord& tensor) : axes(tensor.shape.size() + 1) {
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
      const std::int64_t size = tensor.shape[i], stride = tensor.strides[i];
      if (size == 1) continue;
      Axis& outer = axes[last];
      if (outer.size == 1) outer = {size, stride};
      else if (outer.stride == size * stride) outer = {outer.size * size, stride};
      else axes[++last] = {size, stride};
    }
  }
  // To the next run of the last dimension, whose first element lies at `offset`; false after the last run.
  bool next(std::int64_t& offset) {
    for (std::size_t i = last; i-- > 0;) {
      offset += axes[i].stride;
      if (++axes[i].position < axes[i].size) return true;
      offset -= axes[i].size * axes[i].stride;
      axes[i].position = 0;
    }
    return false;
  }
};

}  // namespace detail

inline void copy_elements(const TensorRecord& tensor, Dtype to, void* destination);

namespace detail {
/// The elements of a tensor on a device.
[[gnu::cold, gnu::noinline]] inline void copy_fetched(const TensorRecord& tensor, Dtype to, void* destination) {
  const std::size_t bytes = static_cast<std::size_t>(tensor.numel()) * item_size(tensor.dtype);
  const bool as_they_are = tensor.dtype == to && to != Dtype::boolean;
  std::vector<std::byte> elements(as_they_are ? 0 : bytes);
  auto* const fetched = as_they_are ? static_cast<std::byte*>(destination) : elements.data();
  tensor.memory->copy_to_host(fetched, tensor.data, bytes);
  if (as_they_are) return;
  TensorRecord here = tensor;
  here.data = fetched;
  here.memory = nullptr;
  copy_elements(here, to, destination);
}
}  // namespace detail

/// Writes the elements of a tensor to `destination` in C order as dtype `to`, with the values of PyTorch's
/// `tensor.to(dtype)`: rounding to nearest even, towards zero for integers, integers modulo 2^bits, anything but 0 is
/// true, complex to real keeps the real part. Only a tensor that is in 8-bit floating point can be written as such
/// (else parameter_error). `destination` holds numel() elements of `to`, in any alignment; bools are written as 0
/// and 1.
inline void copy_elements(const TensorRecord& tensor, Dtype to, void* destination) {
  const std::int64_t numel = tensor.numel();
  if (numel == 0) return;
  if (tensor.memory) return detail::copy_fetched(tensor, to, destination);
  auto* out = static_cast<std::byte*>(destination);
  const std::size_t item = item_size(tensor.dtype), new_item = item_size(to);
  const bool same = tensor.dtype == to && to != Dtype::boolean && !tensor.negated && !tensor.conjugated;
  if (same && !tensor.byte_swapped && tensor.contiguous()) {
    std::memcpy(out, tensor.data, static_cast<std::size_t>(numel) * item);
    return;
  }
  if (!same && to >= Dtype::float8_e4m3fn)
    throw parameter_error(
        text_of({"copy_elements: ", dtype_name(tensor.dtype), " is not converted to ", dtype_name(to)}));
  detail::Walk walk(tensor);
  const std::int64_t run = walk.axes[walk.last].size, step = walk.axes[walk.last].stride;
  std::byte raw[detail::block_size * 16];
  detail::Block block;
  std::int64_t offset = 0;
  do {
    for (std::int64_t first = 0; first < run; first += detail::block_size) {
      const auto count =
          static_cast<std::size_t>(run - first < std::int64_t(detail::block_size) ? run - first : detail::block_size);
      const std::byte* from = tensor.data + (offset + first * step) * static_cast<std::int64_t>(item);
      detail::gather(from, step * static_cast<std::int64_t>(item), count, item, raw);
      if (tensor.byte_swapped) {
        const std::size_t parts = detail::is_complex(tensor.dtype) ? 2 : 1;
        detail::swap_bytes(raw, item / parts, count * parts);
      }
      if (same) {
        std::memcpy(out, raw, count * item);
      } else {
        detail::load(tensor.dtype, raw, count, block);
        if (tensor.negated || tensor.conjugated) detail::resolve(tensor, count, block);
        detail::store(to, block, count, out);
      }
      out += count * new_item;
    }
  } while (walk.next(offset));
}

}  // namespace lamina::io
