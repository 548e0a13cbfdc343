#include <Eigen/Core>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <lamina/core/dtype.hpp>
#include <limits>

using namespace lamina;

TEST_CASE("dtypes have PyTorch's names and sizes") {
  CHECK(dtype_name(Dtype::float32) == "float32");
  CHECK(dtype_name(Dtype::bfloat16) == "bfloat16");
  CHECK(dtype_name(Dtype::boolean) == "bool");
  CHECK(dtype_name(Dtype::complex128) == "complex128");
  CHECK(dtype_name(Dtype::float8_e8m0fnu) == "float8_e8m0fnu");
  CHECK(item_size(Dtype::float64) == 8);
  CHECK(item_size(Dtype::float8_e8m0fnu) == 1);
  CHECK(item_size(Dtype::float16) == 2);
  CHECK(item_size(Dtype::int64) == 8);
  CHECK(item_size(Dtype::boolean) == 1);
  CHECK(item_size(Dtype::complex64) == 8);
  static_assert(dtype_of<float> == Dtype::float32 && dtype_of<std::int64_t> == Dtype::int64 &&
                dtype_of<bool> == Dtype::boolean);
  static_assert(element<float16> && element<bool> && !element<char*> && !element<long double>);
}

TEST_CASE("float16 has IEEE 754's bit patterns") {
  static_assert(float16(1.0f).bits == 0x3c00 && float16(-2.0f).bits == 0xc000 && float16(0.0f).bits == 0 &&
                float16(-0.0f).bits == 0x8000);
  static_assert(float16(65504.0f).bits == 0x7bff);                                        // the largest
  static_assert(float16(65519.996f).bits == 0x7bff && float16(65520.0f).bits == 0x7c00);  // half a unit above: infinity
  static_assert(float16(0x1p-14f).bits == 0x0400 && float16(0x1p-24f).bits == 1);    // smallest normal and subnormal
  static_assert(float16(0x1p-25f).bits == 0 && float16(0x1.000002p-25f).bits == 1);  // ties to even
  static_assert(float16(1 + 0x1p-11f).bits == 0x3c00 && float16(1 + 0x3p-11f).bits == 0x3c02);
  static_assert(float16(0x1.ff8p-15f).bits == 0x03ff &&
                float16(0x1.ffcp-15f).bits == 0x0400);  // a subnormal rounds up to a normal
  static_assert(float(float16::from_bits(0x3555)) == 0.333251953125f);
  CHECK(float16(std::numeric_limits<float>::infinity()).bits == 0x7c00);
  CHECK(std::isnan(float(float16(std::numeric_limits<float>::quiet_NaN()))));
}

TEST_CASE("every float16 survives the way through float") {
  for (int bits = 0; bits < 0x10000; ++bits) {
    const float16 h = float16::from_bits(std::uint16_t(bits));
    if (std::isnan(float(h))) {
      CHECK(std::isnan(float(float16(float(h)))));
    } else if (float16(float(h)).bits != bits) FAIL("bits " << bits);
  }
}

TEST_CASE("rounding to 16 bits is Eigen's") {
  for (std::uint64_t pattern = 0; pattern < (1ull << 32);
       pattern += 4099) {  // a prime step meets all exponents, signs and low bits
    const float value = std::bit_cast<float>(std::uint32_t(pattern));
    if (std::isnan(value)) continue;
    const std::uint16_t half = Eigen::half(value).x, brain = Eigen::bfloat16(value).value;
    if (float16(value).bits != half) FAIL("float16 of " << value);
    if (bfloat16(value).bits != brain) FAIL("bfloat16 of " << value);
  }
}

TEST_CASE("bfloat16 is the upper half of a float, rounded") {
  static_assert(bfloat16(1.0f).bits == 0x3f80 && bfloat16(-3.140625f).bits == 0xc049 &&
                float(bfloat16::from_bits(0x4049)) == 3.140625f);
  static_assert(bfloat16(1 + 0x1p-8f).bits == 0x3f80 && bfloat16(1 + 0x3p-8f).bits == 0x3f82);  // ties to even
  CHECK(std::isinf(float(bfloat16(std::numeric_limits<float>::max()))));
  CHECK(std::isnan(float(bfloat16(std::bit_cast<float>(0x7f800001u)))));  // a payload in the lower half only
}
