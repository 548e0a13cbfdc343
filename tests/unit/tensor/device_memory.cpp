/// Tensors and parameters whose elements are on a device: what works there, and what is refused.
#include "tensor/fake_device.hpp"
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <lamina.hpp>
#include <numeric>

using namespace lamina;
using Catch::Matchers::ContainsSubstring;

namespace {
using Vector = Tensor<float, Shape<4>>;

Vector counting() {
  Vector x;
  std::iota(x.span().begin(), x.span().end(), 1.f);
  return x;
}
Vector on(FakeDevice& device, const Vector& x) { return Vector(device.upload(x.storage()), x.dims()); }
Vector fetched(const Vector& x) {
  Vector y;
  Storage::copy_bytes(y.storage(), 0, x.storage(), 0, x.storage().bytes());
  return y;
}
bool same(const Vector& a, const Vector& b) { return std::ranges::equal(a.span(), b.span()); }
template <class F> std::string fault_of(F&& f) {
  try {
    f();
  } catch (const device_error& e) { return e.what(); }
  return "no device_error";
}
}  // namespace

TEST_CASE("a block on a device is freed with its last share") {
  FakeDevice device(1);
  {
    const Vector x = on(device, counting());
    const Vector shared = x;
    CHECK(device.blocks == 1);
    CHECK(x.device() == cuda{1});
    CHECK(x.storage().bytes() == 16);
    CHECK(counting().device() == cpu{});
  }
  CHECK(device.blocks == 0);
}

TEST_CASE("a clone stays on the device, fill reaches it") {
  FakeDevice device(0);
  const Vector x = on(device, counting());
  Vector copy = x.clone();
  CHECK(copy.device() == cuda{0});
  CHECK(copy.storage().data() != x.storage().data());
  CHECK(same(fetched(copy), counting()));
  CHECK(same(fetched(copy.fill(3)), Vector().fill(3)));
  CHECK(same(fetched(x), counting()));
}

TEST_CASE("bytes go from any device to any") {
  FakeDevice first(0), second(1);
  const Vector x = on(first, counting());
  const Vector y(second.allocate(16), {4});
  Storage::copy_bytes(y.storage(), 0, x.storage(), 0, 16);
  Storage::copy_bytes(y.storage(), 4, counting().storage(), 12, 4);
  CHECK(same(fetched(y), [] {
    Vector expected = counting();
    expected(1) = 4;
    return expected;
  }()));
}

TEST_CASE("copies of a parameter on a device are deep and have a version of their own") {
  FakeDevice device(0);
  Parameter<Shape<4>> p;
  p.storage() = device.upload(counting().storage());
  p.storage().written();
  const Parameter<Shape<4>> copy = p;
  CHECK(copy.storage().device() == cuda{0});
  CHECK(copy.storage().data() != p.storage().data());
  CHECK(copy.version() != p.version());
  CHECK(copy.version() != 0);
  CHECK(same(fetched(Vector(copy.storage(), {4})), counting()));
  CHECK(device.blocks == 2);
}

TEST_CASE("the host reads no elements of a device") {
  FakeDevice device(2);
  Vector x = on(device, counting());
  const std::string expected =
      "a tensor [4] is on cuda:2, and its elements are wanted on the host: compile the model for the "
      "device, or move it with to(x, cpu{})";
  CHECK(fault_of([&] { static_cast<void>(x.data()); }) == expected);
  CHECK(fault_of([&] { static_cast<void>(std::as_const(x)(0)); }) == expected);
  CHECK(fault_of([&] { static_cast<void>(x.span()); }) == expected);
  CHECK(fault_of([&] { static_cast<void>(x.view()); }) == expected);
  Parameter<Shape<4>> p;
  p.storage() = x.storage();
  const auto version = p.version();
  CHECK_THAT(fault_of([&] { static_cast<void>(p.data()); }), ContainsSubstring("a parameter [4] is on cuda:2"));
  CHECK(p.version() == version);
  CHECK_THAT(fault_of([&] { static_cast<void>(std::as_const(p).span()); }), ContainsSubstring("cuda:2"));
}

TEST_CASE("eager evaluation names the layer and what it was given") {
  FakeDevice device(0);
  Linear<4, 2> fc;
  for (float& w : fc.weight.span()) w = 1;
  for (float& b : fc.bias.span()) b = 0;
  const Tensor<float, Shape<1, 4>> x(device.upload(counting().storage()), {1, 4});
  CHECK_THAT(fault_of([&] { static_cast<void>(fc(x)); }),
             ContainsSubstring("Linear<4, 2>: a tensor [1, 4] is on cuda:0"));
  CHECK_THAT(fault_of([&] { static_cast<void>(Softmax<1>{}(x)); }),
             ContainsSubstring("Softmax: a tensor [1, 4] is on cuda:0"));
  CHECK_THAT(fault_of([&] { static_cast<void>(x + x); }), ContainsSubstring("a tensor [1, 4] is on cuda:0"));
  CHECK_THAT(fault_of([&] { static_cast<void>(x * 2.f); }), ContainsSubstring("a tensor [1, 4] is on cuda:0"));
  const Tensor<float, Shape<1, 4>> here;
  const Tensor<float, Shape<1, 2>> there(device.allocate(8), {1, 2});
  CHECK_THAT(fault_of([&] { static_cast<void>(fc(here) + there); }), ContainsSubstring("a tensor [1, 2] is on cuda:0"));
  fc.bias.storage() = device.upload(std::as_const(fc.bias).storage());
  CHECK_THAT(fault_of([&] { static_cast<void>(fc(here)); }),
             ContainsSubstring("Linear<4, 2>: a parameter [2] is on cuda:0"));
  CHECK(flatten(x).device() == cuda{0});  // another shape, the same elements
}

TEST_CASE("engines of the host take neither weights nor inputs of a device") {
  FakeDevice device(0);
  Sequential<Linear<4, 2>, ReLU> net;
  for (float& w : net[0_c].weight.span()) w = 1;
  for (float& b : net[0_c].bias.span()) b = 0;
  const auto engine = compile<Shape<1, 4>>(net);
  const Tensor<float, Shape<1, 4>> x(device.upload(counting().storage()), {1, 4});
  CHECK_THAT(fault_of([&] { static_cast<void>(engine(x)); }), ContainsSubstring("a tensor [1, 4] is on cuda:0"));
  net[0_c].weight.storage() = device.upload(std::as_const(net[0_c].weight).storage());
  CHECK_THAT(fault_of([&] { static_cast<void>(compile<Shape<1, 4>>(net)); }),
             ContainsSubstring("0.weight [2, 4] is on cuda:0"));
  const DataParallel<decltype(net)> several(net, parallel::host_devices(2));
  CHECK_THAT(fault_of([&] { static_cast<void>(several(Tensor<float, Shape<2, 4>>())); }),
             ContainsSubstring("is on cuda:0"));
  CHECK_THAT(fault_of([&] {
               static_cast<void>(several(Tensor<float, Shape<2, 4>>(device.allocate(32), {2, 4})));
             }),
             ContainsSubstring("a tensor [2, 4] is on cuda:0"));
}
