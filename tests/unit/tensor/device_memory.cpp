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

TEST_CASE("eager evaluation is the device's") {
  FakeDevice device(0);
  Linear<4, 4> fc;
  BatchNorm1d<4> bn;
  for (Storage* const storage : {&fc.weight.storage(), &fc.bias.storage(), &bn.weight.storage(), &bn.bias.storage(),
                                 &bn.running_mean.storage(), &bn.running_var.storage()})
    *storage = device.allocate(storage == &fc.weight.storage() ? 64 : 16);
  const Tensor<float, Shape<1, 4>> x(device.upload(counting().storage()), {1, 4});
  const auto y = materialise(relu(bn(fc(x)) + x));
  CHECK(y.device() == cuda{0});
  CHECK(y.storage().bytes() == 16);
  static_cast<void>(materialise(bn(x)));
  static_cast<void>(x * 2.f);
  static_cast<void>(cat<0>(x, x, x));
  static_cast<void>(x * fc.bias);
  using Notes = std::vector<std::string>;
  CHECK(device.evaluated ==
        Notes{"linear 1/2, norm, sum, function", "batch_norm 1/4", "activation 1/0", "cat 3/0", "binary 2/0"});
  CHECK(flatten(x).device() == cuda{0});  // another shape, the same elements
}

TEST_CASE("what is evaluated together is on one device") {
  FakeDevice device(0), other(1);
  Linear<4, 2> fc;
  for (float& w : fc.weight.span()) w = 1;
  for (float& b : fc.bias.span()) b = 0;
  const Tensor<float, Shape<1, 4>> x(device.upload(counting().storage()), {1, 4}), here;
  const Tensor<float, Shape<1, 2>> there(other.allocate(8), {1, 2});
  const std::string advice = ": move one of them with to(..., device)";
  CHECK(fault_of([&] { static_cast<void>(fc(x)); }) ==
        "Linear<4, 2>: a tensor [1, 4] is on cuda:0, a parameter on cpu" + advice);
  CHECK(fault_of([&] { static_cast<void>(x + here); }) ==
        "a tensor [1, 4] is on cuda:0, another operand on cpu" + advice);
  CHECK(fault_of([&] { static_cast<void>(fc(here) + there); }) ==
        "a tensor [1, 4] is on cpu, what is added on cuda:1" + advice);
  fc.bias.storage() = device.upload(std::as_const(fc.bias).storage());
  CHECK(fault_of([&] { static_cast<void>(fc(here)); }) ==
        "Linear<4, 2>: a tensor [1, 4] is on cpu, a parameter on cuda:0" + advice);
  CHECK(device.evaluated.empty());
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
             ContainsSubstring("a parameter on cuda:0"));
  CHECK_THAT(fault_of([&] {
               static_cast<void>(several(Tensor<float, Shape<2, 4>>(device.allocate(32), {2, 4})));
             }),
             ContainsSubstring("a tensor [2, 4] is on cuda:0"));
}
