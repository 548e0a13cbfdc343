// Numbers as Python 3 writes them: repr() of each was taken from CPython.
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <lamina/reflect/python_text.hpp>
#include <limits>

using namespace lamina;

template <class... T> static std::string written(const T&... values) {
  PythonText out;
  (out << ... << values);
  return out.take();
}

TEST_CASE("doubles are the shortest text that reads back") {
  CHECK(written(0.1) == "0.1");
  CHECK(written(2.0) == "2.0");
  CHECK(written(0.0) == "0.0");
  CHECK(written(-0.0) == "-0.0");
  CHECK(written(1.0 / 3) == "0.3333333333333333");
  CHECK(written(-12.5) == "-12.5");
  CHECK(written(100.0) == "100.0");
  CHECK(written(1234.5678) == "1234.5678");
  CHECK(written(0.1 + 0.2) == "0.30000000000000004");
  CHECK(written(1e22) == "1e+22");
  CHECK(written(5e-324) == "5e-324");
  CHECK(written(std::numeric_limits<double>::max()) == "1.7976931348623157e+308");
}

TEST_CASE("the exponent begins below 1e-4 and at 1e16") {
  CHECK(written(0.0001) == "0.0001");
  CHECK(written(0.00012) == "0.00012");
  CHECK(written(0.00001) == "1e-05");
  CHECK(written(0.000012) == "1.2e-05");
  CHECK(written(-1.5e-7) == "-1.5e-07");
  CHECK(written(1e15) == "1000000000000000.0");
  CHECK(written(1234567890123456.0) == "1234567890123456.0");
  CHECK(written(9999999999999998.0) == "9999999999999998.0");
  CHECK(written(1e16) == "1e+16");
  CHECK(written(123456789012345680.0) == "1.2345678901234568e+17");
}

TEST_CASE("numbers that are none have Python's names") {
  CHECK(written(std::numeric_limits<double>::infinity()) == "inf");
  CHECK(written(-std::numeric_limits<double>::infinity()) == "-inf");
  CHECK(written(std::numeric_limits<double>::quiet_NaN()) == "nan");
  CHECK(written(-std::numeric_limits<double>::quiet_NaN()) == "nan");
}

TEST_CASE("options are written as they were given") {
  CHECK(written(true, ' ', false) == "True False");
  CHECK(written("text", 'c', std::string("s"), 12, -3, 1L << 40, 7u) == "textcs12-310995116277767");
  CHECK(written(Size2(3)) == "3");
  CHECK(written(Size2(3, 3)) == "(3, 3)");
  CHECK(written(Size2(none)) == "None");
  CHECK(written(Size2(none, 7)) == "(None, 7)");
  CHECK(written(Scale2(2)) == "2.0");
  CHECK(written(Scale2(2, 3.5)) == "(2.0, 3.5)");
  CHECK(written(OptionalNumber(none)) == "None");
  CHECK(written(OptionalNumber(0.1)) == "0.1");
}
