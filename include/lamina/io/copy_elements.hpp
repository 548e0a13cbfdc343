/// The elements of a tensor in a weight file, in C order and as another dtype.
#pragma once
#include "../core/dtype.hpp"
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

// Elements between their old and their new dtype: every real number fits a double and every integer 64 bits.
struct Block {
  enum Form : std::uint8_t { numbers, integers, unsigned_integers } form = numbers;
  double real[block_size], imaginary[block_size];
  std::int64_t integer[block_size];
};

template <std::size_t ItemSize>
void gather_items(const std::byte* from, std::ptrdiff_t step, std::size_t count, std::byte* to) {
  for (std::size_t i = 0; i < count; ++i)
    std::memcpy(to + i * ItemSize, from + static_cast<std::ptrdiff_t>(i) * step, ItemSize);
}

inline void gather(const std::byte* from, std::ptrdiff_t step, std::size_t count, std::size_t item, std::byte* to) {
  if (step == static_cast<std::ptrdiff_t>(item)) std::memcpy(to, from, count * item);
  else if (item == 1) gather_items<1>(from, step, count, to);
  else if (item == 2) gather_items<2>(from, step, count, to);
  else if (item == 4) gather_items<4>(from, step, count, to);
  else if (item == 8) gather_items<8>(from, step, count, to);
  else gather_items<16>(from, step, count, to);
}

inline void swap_bytes(std::byte* bytes, std::size_t unit, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i, bytes += unit)
    for (std::size_t a = 0, b = unit - 1; a < b; ++a, --b) std::swap(bytes[a], bytes[b]);
}

template <class T> void load(const std::byte* from, std::size_t count, Block& block) {
  constexpr bool integral = std::is_integral_v<T>;
  block.form = !integral                          ? Block::numbers
               : std::is_same_v<T, std::uint64_t> ? Block::unsigned_integers
                                                  : Block::integers;
  for (std::size_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, from + i * sizeof(T), sizeof(T));
    if constexpr (integral) block.integer[i] = static_cast<std::int64_t>(value);
    else if constexpr (std::is_same_v<T, double>) block.real[i] = value;
    else block.real[i] = static_cast<float>(value);
    if constexpr (!integral) block.imaginary[i] = 0;
  }
}
template <class Part> void load_complex(const std::byte* from, std::size_t count, Block& block) {
  block.form = Block::numbers;
  for (std::size_t i = 0; i < count; ++i) {
    Part parts[2];
    std::memcpy(parts, from + i * sizeof parts, sizeof parts);
    block.real[i] = parts[0];
    block.imaginary[i] = parts[1];
  }
}
// Bytes other than 0 and 1 are no bool in C++, but files can hold them.
inline void load_boolean(const std::byte* from, std::size_t count, Block& block) {
  block.form = Block::integers;
  for (std::size_t i = 0; i < count; ++i) block.integer[i] = from[i] != std::byte{0};
}

// C++ leaves a number out of range undefined; this is what PyTorch gives on x86, where the conversion to 32 or 64 bits
// yields the smallest number and narrower types take its low bits.
template <class T> T to_integer(double value) {
  if constexpr (std::is_same_v<T, std::uint64_t>) {
    if (value >= 0x1p63) return value < 0x1p64 ? static_cast<T>(value) : 0;
    return static_cast<T>(to_integer<std::int64_t>(value));
  } else if constexpr (sizeof(T) == 8 || std::is_same_v<T, std::uint32_t>) {
    return static_cast<T>(value >= -0x1p63 && value < 0x1p63 ? static_cast<std::int64_t>(value) : INT64_MIN);
  } else {
    return static_cast<T>(value > -0x1p31 - 1 && value < 0x1p31 ? static_cast<std::int32_t>(value) : INT32_MIN);
  }
}

template <class T, class From> T convert(From value) {
  if constexpr (std::is_integral_v<T>) {
    if constexpr (std::is_same_v<From, double>) return to_integer<T>(value);
    else return static_cast<T>(value);
  } else if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
    return static_cast<T>(value);
  } else {
    return T(static_cast<float>(value));  // PyTorch too goes to 16 bits by way of float
  }
}

template <class T> void store(const Block& block, std::size_t count, std::byte* to) {
  const auto each = [&](auto value_at) {
    for (std::size_t i = 0; i < count; ++i) {
      const T value = value_at(i);
      std::memcpy(to + i * sizeof(T), &value, sizeof(T));
    }
  };
  if (block.form == Block::numbers) each([&](std::size_t i) { return convert<T>(block.real[i]); });
  else if (block.form == Block::integers) each([&](std::size_t i) { return convert<T>(block.integer[i]); });
  else each([&](std::size_t i) { return convert<T>(static_cast<std::uint64_t>(block.integer[i])); });
}
template <class Part> void store_complex(const Block& block, std::size_t count, std::byte* to) {
  Part real[block_size];
  store<Part>(block, count, reinterpret_cast<std::byte*>(real));
  for (std::size_t i = 0; i < count; ++i) {
    const Part parts[2] = {real[i], block.form == Block::numbers ? static_cast<Part>(block.imaginary[i]) : Part(0)};
    std::memcpy(to + i * sizeof parts, parts, sizeof parts);
  }
}
inline void store_boolean(const Block& block, std::size_t count, std::byte* to) {
  for (std::size_t i = 0; i < count; ++i)
    to[i] =
        std::byte(block.form == Block::numbers ? block.real[i] != 0 || block.imaginary[i] != 0 : block.integer[i] != 0);
}

inline void load(Dtype dtype, const std::byte* from, std::size_t count, Block& block) {
  switch (dtype) {
  case Dtype::float64: return load<double>(from, count, block);
  case Dtype::float32: return load<float>(from, count, block);
  case Dtype::float16: return load<float16>(from, count, block);
  case Dtype::bfloat16: return load<bfloat16>(from, count, block);
  case Dtype::int64: return load<std::int64_t>(from, count, block);
  case Dtype::int32: return load<std::int32_t>(from, count, block);
  case Dtype::int16: return load<std::int16_t>(from, count, block);
  case Dtype::int8: return load<std::int8_t>(from, count, block);
  case Dtype::uint8: return load<std::uint8_t>(from, count, block);
  case Dtype::boolean: return load_boolean(from, count, block);
  case Dtype::uint16: return load<std::uint16_t>(from, count, block);
  case Dtype::uint32: return load<std::uint32_t>(from, count, block);
  case Dtype::uint64: return load<std::uint64_t>(from, count, block);
  case Dtype::complex64: return load_complex<float>(from, count, block);
  case Dtype::complex128: return load_complex<double>(from, count, block);
  }
}
inline void store(Dtype dtype, const Block& block, std::size_t count, std::byte* to) {
  switch (dtype) {
  case Dtype::float64: return store<double>(block, count, to);
  case Dtype::float32: return store<float>(block, count, to);
  case Dtype::float16: return store<float16>(block, count, to);
  case Dtype::bfloat16: return store<bfloat16>(block, count, to);
  case Dtype::int64: return store<std::int64_t>(block, count, to);
  case Dtype::int32: return store<std::int32_t>(block, count, to);
  case Dtype::int16: return store<std::int16_t>(block, count, to);
  case Dtype::int8: return store<std::int8_t>(block, count, to);
  case Dtype::uint8: return store<std::uint8_t>(block, count, to);
  case Dtype::boolean: return store_boolean(block, count, to);
  case Dtype::uint16: return store<std::uint16_t>(block, count, to);
  case Dtype::uint32: return store<std::uint32_t>(block, count, to);
  case Dtype::uint64: return store<std::uint64_t>(block, count, to);
  case Dtype::complex64: return store_complex<float>(block, count, to);
  case Dtype::complex128: return store_complex<double>(block, count, to);
  }
}

// PyTorch keeps `conj()` and the imaginary part of it as notes on a view; here they are carried out.
inline void resolve(const TensorRecord& tensor, std::size_t count, Block& block) {
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
  std::vector<std::int64_t> sizes, strides, position;

  explicit Walk(const TensorRecord& tensor) {
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
      const std::int64_t size = tensor.shape[i], stride = tensor.strides[i];
      if (size == 1) continue;
      if (!sizes.empty() && strides.back() == size * stride) {
        sizes.back() *= size;
        strides.back() = stride;
      } else {
        sizes.push_back(size);
        strides.push_back(stride);
      }
    }
    if (sizes.empty()) sizes = {1}, strides = {1};
    position.assign(sizes.size(), 0);
  }
  // To the next run of the last dimension, whose first element lies at `offset`; false after the last run.
  bool next(std::int64_t& offset) {
    for (std::size_t i = sizes.size() - 1; i-- > 0;) {
      offset += strides[i];
      if (++position[i] < sizes[i]) return true;
      offset -= sizes[i] * strides[i];
      position[i] = 0;
    }
    return false;
  }
};

}  // namespace detail

/// Writes the elements of a tensor to `destination` in C order as dtype `to`, with the values of PyTorch's
/// `tensor.to(dtype)`: rounding to nearest even, towards zero for integers, integers modulo 2^bits, anything but 0 is
/// true, complex to real keeps the real part. `destination` holds numel() elements of `to`, in any alignment; bools are
/// written as 0 and 1.
inline void copy_elements(const TensorRecord& tensor, Dtype to, void* destination) {
  const std::int64_t numel = tensor.numel();
  if (numel == 0) return;
  auto* out = static_cast<std::byte*>(destination);
  const std::size_t item = item_size(tensor.dtype), new_item = item_size(to);
  const bool same = tensor.dtype == to && to != Dtype::boolean && !tensor.negated && !tensor.conjugated;
  if (same && !tensor.byte_swapped && tensor.contiguous()) {
    std::memcpy(out, tensor.data, static_cast<std::size_t>(numel) * item);
    return;
  }
  detail::Walk walk(tensor);
  const std::int64_t run = walk.sizes.back(), step = walk.strides.back();
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
