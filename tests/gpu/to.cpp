/// to(x, device), and the weight files of models that are on a device.
#include "emulation/emulation.hpp"
#include "small_net.hpp"
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <lamina.hpp>
#include <lamina/cuda/to.hpp>
#include <numeric>

using namespace lamina;
using Catch::Matchers::ContainsSubstring;

namespace {
/// What a model stores, on whichever devices.
std::vector<std::string> values_of(const auto& net) {
  std::vector<std::string> values;
  for (const auto& tensor : stored_tensors(net)) {
    const Storage here = gpu::placed(*tensor.storage, cpu{});
    values.emplace_back(reinterpret_cast<const char*>(here.data()), here.bytes());
  }
  return values;
}
bool all_on(const auto& net, const Device& device) {
  return std::ranges::all_of(stored_tensors(net), [&](const auto& t) { return t.storage->device() == device; });
}
std::vector<std::string> nothing() { return {}; }
}  // namespace

TEST_CASE("a tensor goes to a device and comes back", "[two]") {
  Tensor<float, Shape<2, 3>> x;
  std::iota(x.span().begin(), x.span().end(), 0.f);
  const auto there = to(x, cuda{1});
  static_assert(std::is_same_v<decltype(there), const Tensor<float, Shape<2, 3>>>);
  CHECK(there.device() == cuda{1});
  const auto back = to(to(there, cuda{0}), cpu{});
  CHECK(back.device() == cpu{});
  CHECK(std::ranges::equal(back.span(), x.span()));
  CHECK(emulation::faults() == nothing());
}

TEST_CASE("a tensor that is there already is shared") {
  const Tensor<float, Shape<3>> x;
  CHECK(to(x, cpu{}).storage().data() == x.storage().data());
  const auto there = to(x, cuda{0});
  CHECK(to(there, cuda{0}).storage().data() == there.storage().data());
  const Tensor<float, Shape<dyn>> empty({0});
  CHECK(to(empty, cuda{0}).size() == 0);
}

TEST_CASE("something pending is computed, then moved") {
  Linear<2, 1> fc;
  fc.weight.data()[0] = 2, fc.weight.data()[1] = 3, fc.bias.data()[0] = 1;
  Tensor<float, Shape<1, 2>> x;
  x.fill(10);
  CHECK(to(to(fc(x), cuda{0}), cpu{})(0, 0) == 51);
}

TEST_CASE("a model is copied to a device, or moves there", "[two]") {
  const Net net = loaded();
  Net there = to(net, cuda{1});
  CHECK(all_on(there, cuda{1}));
  CHECK(all_on(net, cpu{}));
  CHECK(values_of(there) == values_of(net));
  const Net again = to(there, cuda{1});  // a copy all the same
  CHECK(again[0_c].weight.storage().data() != there[0_c].weight.storage().data());
  CHECK(values_of(again) == values_of(net));
  const std::byte* const memory = there[0_c].weight.storage().data();
  there = to(std::move(there), cuda{1});
  CHECK(there[0_c].weight.storage().data() == memory);
  CHECK(all_on(to(std::move(there), cpu{}), cpu{}));
  CHECK(emulation::faults() == nothing());
}

TEST_CASE("parameters without values stay so; shared memory stays shared", "[two]") {
  Sequential<Linear<4, 4>, Linear<4, 4>> net;
  net[0_c].weight.data()[5] = 7;
  net[1_c].weight.storage() = net[0_c].weight.storage();
  const auto copy = to(net, cuda{0});
  CHECK(!copy[0_c].bias.has_values());
  CHECK(copy[0_c].weight.storage().data() == copy[1_c].weight.storage().data());
  CHECK(to(copy, cuda{0})[0_c].weight.storage().bytes() == 64);
  net = to(std::move(net), cuda{1});
  CHECK(net[0_c].weight.storage().data() == net[1_c].weight.storage().data());
  net = to(std::move(net), cpu{});
  CHECK(std::as_const(net)[1_c].weight.data()[5] == 7);
}

TEST_CASE("a new place is a new version, so that what was packed is stale") {
  Net net = loaded();
  const auto version = net[0_c].weight.version();
  net = to(std::move(net), cuda{0});
  CHECK(net[0_c].weight.version() != version);
}

TEST_CASE("a device without room leaves the model where it is") {
  Net net = loaded();
  const auto values = values_of(net);
  const std::size_t used = emulation::memory_used(0);
  emulation::fail_next("cudaMallocAsync", 2, 3);
  CHECK_THROWS_AS(to(std::move(net), cuda{0}), gpu::out_of_memory);
  CHECK(all_on(net, cpu{}));
  CHECK(values_of(net) == values);
  CHECK_THROWS_AS(to(net, cuda{2}), gpu::no_device);
  CHECK(emulation::memory_used(0) == used);
}
