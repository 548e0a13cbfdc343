/// Element types of tensors: PyTorch's dtypes, their names and sizes, and the two 16-bit floating-point storage types.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

namespace lamina {

/// PyTorch's dtypes. Computation is in float32; the others store parameters, buffers, images and labels.
enum class Dtype : std::uint8_t {
  float64,
  float32,
  float16,
  bfloat16,
  int64,
  int32,
  int16,
  int8,
  uint8,
  boolean,
  uint16,
  uint32,
  uint64,
  complex64,
  complex128,
  float8_e4m3fn,
  float8_e5m2,
  float8_e4m3fnuz,
  float8_e5m2fnuz,
  float8_e8m0fnu,
};
inline constexpr int dtype_count = 20;

/// The name PyTorch prints after `torch.`: `float32`, `bool`, ...
constexpr std::string_view dtype_name(Dtype dtype) {
  constexpr std::string_view names[] = {
      "float64",    "float32",       "float16",     "bfloat16",        "int64",           "int32",         "int16",
      "int8",       "uint8",         "bool",        "uint16",          "uint32",          "uint64",        "complex64",
      "complex128", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"};
  static_assert(std::size(names) == dtype_count);
  return names[static_cast<std::size_t>(dtype)];
}

/// Bytes of one element.
constexpr std::size_t item_size(Dtype dtype) {
  constexpr std::uint8_t sizes[] = {8, 4, 2, 2, 8, 4, 2, 1, 1, 1, 2, 4, 8, 8, 16, 1, 1, 1, 1, 1};
  static_assert(std::size(sizes) == dtype_count);
  return sizes[static_cast<std::size_t>(dtype)];
}

/// IEEE 754 binary16, for storage. Conversion from float rounds to nearest, ties to even, as PyTorch's `.half()`.
struct float16 {
  std::uint16_t bits = 0;

  constexpr float16() = default;
  constexpr explicit float16(float value) : bits(round(value)) {}
  static constexpr float16 from_bits(std::uint16_t bits) {
    float16 h;
    h.bits = bits;
    return h;
  }

  constexpr explicit operator float() const {
    const std::uint32_t sign = std::uint32_t(bits & 0x8000u) << 16, exponent = bits >> 10 & 0x1fu,
                        mantissa = bits & 0x3ffu;
    if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000u | mantissa << 13);
    if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
    const float magnitude = float(mantissa) * 0x1p-24f;  // subnormal: exact in float
    return sign ? -magnitude : magnitude;
  }
  friend constexpr bool operator==(float16 a, float16 b) { return float(a) == float(b); }

 private:
  static constexpr std::uint16_t round(float value) {
    const std::uint32_t f = std::bit_cast<std::uint32_t>(value), sign = f >> 16 & 0x8000u, magnitude = f & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return std::uint16_t(sign | 0x7e00u | (magnitude >> 13 & 0x3ffu));  // NaN stays NaN
    if (magnitude >= 0x477ff000u) return std::uint16_t(sign | 0x7c00u);  // 65520 and above: infinity
    const int exponent = int(magnitude >> 23);
    // Below 2^-14 the result is subnormal: its unit is 2^-24, so more of the 24-bit mantissa is shifted out.
    const int shift = exponent < 113 ? 126 - exponent : 13;
    if (shift > 24) return std::uint16_t(sign);
    const std::uint32_t mantissa = exponent < 113 ? (magnitude & 0x7fffffu) | 0x800000u : magnitude - (112u << 23);
    const std::uint32_t kept = mantissa >> shift, rest = mantissa & ((1u << shift) - 1), half = 1u << (shift - 1);
    return std::uint16_t(sign | (kept + (rest > half || (rest == half && (kept & 1u)))));
  }
};

/// bfloat16, the upper half of a float32, for storage. Conversion from float rounds to nearest, ties to even.
struct bfloat16 {
  std::uint16_t bits = 0;

  constexpr bfloat16() = default;
  constexpr explicit bfloat16(float value) {
    const std::uint32_t f = std::bit_cast<std::uint32_t>(value);
    if ((f & 0x7fffffffu) > 0x7f800000u)
      bits = std::uint16_t(f >> 16 | 0x40u);  // NaN: keep it quiet, never round it to infinity
    else bits = std::uint16_t((f + 0x7fffu + (f >> 16 & 1u)) >> 16);
  }
  static constexpr bfloat16 from_bits(std::uint16_t bits) {
    bfloat16 b;
    b.bits = bits;
    return b;
  }
  constexpr explicit operator float() const { return std::bit_cast<float>(std::uint32_t(bits) << 16); }
  friend constexpr bool operator==(bfloat16 a, bfloat16 b) { return float(a) == float(b); }
};

namespace detail {
template <class T> struct dtype_of_type;  // undefined: T is no element type of a tensor
template <> struct dtype_of_type<double> { static constexpr Dtype value = Dtype::float64; };
template <> struct dtype_of_type<float> { static constexpr Dtype value = Dtype::float32; };
template <> struct dtype_of_type<float16> { static constexpr Dtype value = Dtype::float16; };
template <> struct dtype_of_type<bfloat16> { static constexpr Dtype value = Dtype::bfloat16; };
template <> struct dtype_of_type<std::int64_t> { static constexpr Dtype value = Dtype::int64; };
template <> struct dtype_of_type<std::int32_t> { static constexpr Dtype value = Dtype::int32; };
template <> struct dtype_of_type<std::int16_t> { static constexpr Dtype value = Dtype::int16; };
template <> struct dtype_of_type<std::int8_t> { static constexpr Dtype value = Dtype::int8; };
template <> struct dtype_of_type<std::uint8_t> { static constexpr Dtype value = Dtype::uint8; };
template <> struct dtype_of_type<bool> { static constexpr Dtype value = Dtype::boolean; };
}  // namespace detail

/// The dtype of a C++ element type; `element<T>` says whether it is one.
template <class T> inline constexpr Dtype dtype_of = detail::dtype_of_type<T>::value;
template <class T>
concept element = requires {
  detail::dtype_of_type<T>::value;
};

}  // namespace lamina
