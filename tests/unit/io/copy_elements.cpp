// Elements as another dtype: the values of PyTorch's tensor.to(dtype).
#include "hand_built.hpp"
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>

using namespace hand_built;
using lamina::Dtype;
using lamina::io::TensorRecord;

namespace {
template <class T> TensorRecord over(const std::vector<T>& values, Dtype dtype) {
  TensorRecord tensor;
  tensor.dtype = dtype;
  tensor.shape = {static_cast<std::int64_t>(values.size())};
  tensor.strides = {1};
  tensor.data = reinterpret_cast<const std::byte*>(values.data());
  return tensor;
}
template <class To, class From> std::vector<To> converted(const std::vector<From>& values, Dtype from, Dtype to) {
  return elements<To>(over(values, from), to);
}
template <class T> using V = std::vector<T>;
constexpr float infinity = std::numeric_limits<float>::infinity();
}  // namespace

TEST_CASE("io: floats become integers towards zero, integers wrap", "[io]") {
  CHECK(converted<std::int32_t>(V<float>{1.7f, -1.7f, 0.5f, -0.f}, Dtype::float32, Dtype::int32) ==
        V<std::int32_t>{1, -1, 0, 0});
  CHECK(converted<std::int64_t>(V<double>{4503599627370497.0, -2.9}, Dtype::float64, Dtype::int64) ==
        V<std::int64_t>{4503599627370497, -2});
  CHECK(converted<std::uint8_t>(V<std::int64_t>{300, -1, 255}, Dtype::int64, Dtype::uint8) ==
        V<std::uint8_t>{44, 255, 255});
  CHECK(converted<std::int8_t>(V<std::int32_t>{200, -129}, Dtype::int32, Dtype::int8) == V<std::int8_t>{-56, 127});
  CHECK(converted<std::int64_t>(V<std::uint32_t>{4294967295u}, Dtype::uint32, Dtype::int64) ==
        V<std::int64_t>{4294967295});
  CHECK(converted<std::uint64_t>(V<double>{9223372036854775808.0, 3}, Dtype::float64, Dtype::uint64) ==
        V<std::uint64_t>{1ull << 63, 3});
  // Out of range: no undefined behaviour; the smallest number, as x86 gives it.
  CHECK(converted<std::int32_t>(V<float>{infinity, NAN, 3e9f}, Dtype::float32, Dtype::int32) ==
        V<std::int32_t>(3, INT32_MIN));
  CHECK(converted<std::int64_t>(V<float>{infinity, NAN, -infinity}, Dtype::float32, Dtype::int64) ==
        V<std::int64_t>(3, INT64_MIN));
}

TEST_CASE("io: numbers are rounded to nearest even", "[io]") {
  CHECK(converted<float>(V<std::int64_t>{16777217, -16777219}, Dtype::int64, Dtype::float32) ==
        V<float>{16777216, -16777220});
  CHECK(converted<float>(V<std::uint64_t>{~0ull}, Dtype::uint64, Dtype::float32) == V<float>{0x1p64f});
  CHECK(converted<float>(V<double>{0.1, 1e300}, Dtype::float64, Dtype::float32) == V<float>{0.1f, infinity});
  // float16: 65504 is the largest, 65520 the first to become infinite; 1 + 2^-11 and 1 + 3 * 2^-11 are ties.
  CHECK(converted<std::uint16_t>(V<float>{65504, 65519.996f, 65520, 1 + 0x1p-11f, 1 + 3 * 0x1p-11f, -2}, Dtype::float32,
                                 Dtype::float16) == V<std::uint16_t>{0x7bff, 0x7bff, 0x7c00, 0x3c00, 0x3c02, 0xc000});
  CHECK(converted<std::uint16_t>(V<float>{1, -2, 3.140625f, 1 + 0x1p-8f}, Dtype::float32, Dtype::bfloat16) ==
        V<std::uint16_t>{0x3f80, 0xc000, 0x4049, 0x3f80});
  CHECK(converted<float>(V<std::uint16_t>{0x3c00, 0x0001, 0xfc00}, Dtype::float16, Dtype::float32) ==
        V<float>{1, 0x1p-24f, -infinity});
  CHECK(converted<float>(V<std::uint16_t>{0x3f80, 0x4049}, Dtype::bfloat16, Dtype::float32) == V<float>{1, 3.140625f});
}

TEST_CASE("io: bools are 0 and 1, whatever the file holds", "[io]") {
  CHECK(converted<std::uint8_t>(V<std::uint8_t>{0, 1, 2, 255}, Dtype::boolean, Dtype::boolean) ==
        V<std::uint8_t>{0, 1, 1, 1});
  CHECK(converted<float>(V<std::uint8_t>{0, 255}, Dtype::boolean, Dtype::float32) == V<float>{0, 1});
  CHECK(converted<std::uint8_t>(V<float>{0, -0.f, 0.5f, NAN}, Dtype::float32, Dtype::boolean) ==
        V<std::uint8_t>{0, 0, 1, 1});
  CHECK(converted<std::uint8_t>(V<std::int64_t>{256, 0}, Dtype::int64, Dtype::boolean) == V<std::uint8_t>{1, 0});
}

TEST_CASE("io: 8-bit floating point", "[io]") {
  // The largest, 1, the smallest normal and subnormal numbers and what is no number (OCP 8-bit floating point
  // specification, table 1; for `uz` arXiv 2206.02915; for e8m0 OCP microscaling formats).
  using Bits = V<std::uint8_t>;
  CHECK(converted<float>(Bits{0x7e, 0x38, 0x08, 0x01, 0xb8, 0x00}, Dtype::float8_e4m3fn, Dtype::float32) ==
        V<float>{448, 1, 0x1p-6f, 0x1p-9f, -1, 0});
  CHECK(converted<float>(Bits{0x7b, 0x3c, 0x04, 0x01, 0xbe, 0x7c, 0xfc}, Dtype::float8_e5m2, Dtype::float32) ==
        V<float>{57344, 1, 0x1p-14f, 0x1p-16f, -1.5, infinity, -infinity});
  CHECK(converted<float>(Bits{0x7f, 0x40, 0x08, 0x01, 0xc4}, Dtype::float8_e4m3fnuz, Dtype::float32) ==
        V<float>{240, 1, 0x1p-7f, 0x1p-10f, -1.5});
  CHECK(converted<float>(Bits{0x7f, 0x40, 0x04, 0x01, 0xc2}, Dtype::float8_e5m2fnuz, Dtype::float32) ==
        V<float>{57344, 1, 0x1p-15f, 0x1p-17f, -1.5});
  CHECK(converted<float>(Bits{0, 127, 128, 254}, Dtype::float8_e8m0fnu, Dtype::float32) ==
        V<float>{0x1p-127f, 1, 2, 0x1p127f});
  const std::pair<Dtype, std::uint8_t> no_numbers[] = {{Dtype::float8_e4m3fn, 0x7f},   {Dtype::float8_e4m3fn, 0xff},
                                                       {Dtype::float8_e5m2, 0x7d},     {Dtype::float8_e4m3fnuz, 0x80},
                                                       {Dtype::float8_e5m2fnuz, 0x80}, {Dtype::float8_e8m0fnu, 0xff}};
  for (const auto& [dtype, bits] : no_numbers)
    CHECK(std::isnan(converted<float>(Bits{bits}, dtype, Dtype::float32)[0]));
  CHECK(converted<std::uint8_t>(Bits{0x7f, 1}, Dtype::float8_e4m3fn, Dtype::float8_e4m3fn) == Bits{0x7f, 1});
  CHECK_THROWS_AS(converted<std::uint8_t>(V<float>{1}, Dtype::float32, Dtype::float8_e5m2), lamina::parameter_error);
}

TEST_CASE("io: complex numbers", "[io]") {
  const V<float> pairs{1, 2, 3, -4};
  TensorRecord tensor = over(pairs, Dtype::complex64);
  tensor.shape = {2};
  CHECK(elements(tensor) == V<float>{1, 3});
  V<double> wide(4);
  lamina::io::copy_elements(tensor, Dtype::complex128, wide.data());
  CHECK(wide == V<double>{1, 2, 3, -4});
  tensor.conjugated = true;
  V<float> same(4);
  lamina::io::copy_elements(tensor, Dtype::complex64, same.data());
  CHECK(same == V<float>{1, -2, 3, 4});
  tensor.negated = true;
  lamina::io::copy_elements(tensor, Dtype::complex64, same.data());
  CHECK(same == V<float>{-1, 2, -3, -4});
  V<float> from_real(4);
  lamina::io::copy_elements(over(V<float>(pairs.begin(), pairs.begin() + 2), Dtype::float32), Dtype::complex64,
                            from_real.data());
  CHECK(from_real == V<float>{1, 0, 2, 0});
}

TEST_CASE("io: strided elements come out in C order, in blocks of any length", "[io]") {
  // The element at (i, j, k) of a permuted view is its own number.
  const std::int64_t sizes[] = {3, 700, 2};
  V<std::int32_t> stored(3 * 700 * 2);
  for (std::int64_t i = 0; i < 3; ++i)
    for (std::int64_t j = 0; j < 700; ++j)
      for (std::int64_t k = 0; k < 2; ++k)
        stored[static_cast<std::size_t>(k * 2100 + j + i * 700)] = static_cast<std::int32_t>((i * 700 + j) * 2 + k);
  TensorRecord tensor = over(stored, Dtype::int32);
  tensor.shape.assign(sizes, sizes + 3);
  tensor.strides = {700, 1, 2100};
  V<std::int32_t> expected(stored.size());
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = static_cast<std::int32_t>(i);
  CHECK(elements<std::int32_t>(tensor, Dtype::int32) == expected);
  CHECK(elements<std::int64_t>(tensor, Dtype::int64) == V<std::int64_t>(expected.begin(), expected.end()));
}
