/// Replicas: threads of devices, communicators, models on several GPUs, and a batch in pieces.
#include "emulation/emulation.hpp"
#include "small_net.hpp"
#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <future>
#include <lamina.hpp>
#include <lamina/cuda/data_parallel.hpp>
#include <lamina/cuda/nccl.hpp>

using namespace lamina;
using Catch::Matchers::ContainsSubstring;

namespace {
const std::vector<Device> both = {cuda{0}, cuda{1}};

template <class X> void fill(X& x) {
  for (idx i = 0; i < x.size(); ++i) x.data()[i] = float(i * 31 % 101) / 101.f - 0.5f;
}
template <class A, class B> bool close(const A& a, const B& b) {
  if (a.dims() != b.dims()) return false;
  for (idx i = 0; i < a.size(); ++i)
    if (!(std::abs(a.data()[i] - b.data()[i]) <= 1e-6f)) return false;
  return true;
}

/// Compiles for the host what stands for an engine of a device: its inputs and results are on the device.
struct CompileOnHost {
  template <class... Spec, class M> auto operator()(const M& net, cuda device) const {
    return [engine = compile<Spec...>(net), device](const auto&... x) {
      if (((x.device() != device) || ...)) throw device_error("an input is on another device");
      return moved(engine(to(x, cpu{})...), device);
    };
  }
  template <class Y> static auto moved(const Y& y, cuda device) {
    if constexpr (is_tensor<Y>) return to(y, device);
    else return std::apply([&](const auto&... part) { return std::tuple(to(part, device)...); }, y);
  }
};
std::vector<std::string> nothing() { return {}; }
}  // namespace

TEST_CASE("a thread of a device stays the same") {
  gpu::DeviceThreads threads(3);
  std::vector<std::thread::id> first(3), second(3);
  threads.run(3, [&](int i) { first[std::size_t(i)] = std::this_thread::get_id(); });
  threads.run(3, [&](int i) { second[std::size_t(i)] = std::this_thread::get_id(); });
  CHECK(first == second);
  CHECK(first[0] != first[1]);
  std::atomic<int> ran = 0;
  threads.run(2, [&](int i) { ran += 1 << i; });
  CHECK(ran == 3);
  threads.run(0, [&](int) { ++ran; });
  CHECK(ran == 3);
}

TEST_CASE("threads of devices run at the same time") {
  gpu::DeviceThreads threads(2);
  std::atomic<int> there = 0;
  threads.run(2, [&](int) {
    ++there;
    while (there < 2) std::this_thread::yield();  // ends only if both are there
  });
  CHECK(there == 2);
}

TEST_CASE("the lowest number's exception is thrown, when all have ended") {
  gpu::DeviceThreads threads(3);
  std::atomic<int> ran = 0;
  const auto fail = [&](int i) {
    ++ran;
    if (i > 0) throw std::runtime_error("device " + std::to_string(i));
  };
  CHECK_THROWS_WITH(threads.run(3, fail), "device 1");
  CHECK(ran == 3);
  threads.run(3, [&](int) { ++ran; });
  CHECK(ran == 6);
}

TEST_CASE("a model on each device, sent to one and broadcast to the others", "[two]") {
  const Net net = loaded();
  const gpu::Communicators group({1, 0});
  const std::vector<Net> replicas = gpu::replicate(net, group);
  REQUIRE(replicas.size() == 2);
  for (int r = 0; r < 2; ++r)
    for (std::size_t i = 0; i < stored_tensors(net).size(); ++i) {
      const auto expected = stored_tensors(net)[i], got = stored_tensors(replicas[std::size_t(r)])[i];
      INFO(expected.path);
      CHECK(got.storage->device() == cuda{1 - r});
      CHECK(got.storage->version() != 0);
      const Storage here = gpu::placed(*got.storage, cpu{});
      CHECK(std::memcmp(here.data(), expected.storage->data(), here.bytes()) == 0);
    }
  CHECK(emulation::faults() == nothing());
}

TEST_CASE("what another thread has not finished writing is broadcast whole", "[two]") {
  const gpu::Communicators group({0, 1});
  const std::vector<std::byte> bytes(100, std::byte(7));
  Storage made;
  std::promise<bool> written, sent;
  std::thread thread([&] {
    made = gpu::Context::of(0).allocate(bytes.size());
    made.memory()->copy_from_host(made.data(), bytes.data(), bytes.size());
    written.set_value(true);
    sent.get_future().wait();  // the end of the thread would wait for its stream
  });
  written.get_future().wait();
  const Storage copy = gpu::Context::of(1).allocate(bytes.size());
  group.broadcast({{made}, {copy}});
  sent.set_value(true);
  thread.join();
  std::vector<std::byte> here(bytes.size());
  copy.memory()->copy_to_host(here.data(), copy.data(), here.size());
  CHECK(here == bytes);
  CHECK(emulation::faults() == nothing());
}

TEST_CASE("one device takes no communicator", "[two]") {
  const long calls = emulation::calls("ncclCommInitAll");
  Sequential<Linear<2, 2>, Linear<2, 2>> net;
  net[0_c].weight.data()[3] = 5;
  net[1_c].weight.storage() = net[0_c].weight.storage();
  const auto there = to(net, cuda{1});
  const auto replicas = gpu::replicate(there, gpu::Communicators({1}));
  CHECK(replicas[0][0_c].weight.storage().data() == replicas[0][1_c].weight.storage().data());
  CHECK(replicas[0][0_c].weight.storage().data() != there[0_c].weight.storage().data());
  CHECK(to(replicas[0], cpu{})[1_c].weight.data()[3] == 5);
  CHECK(!replicas[0][0_c].bias.has_values());
  CHECK(emulation::calls("ncclCommInitAll") == calls);
}

TEST_CASE("NCCL's errors name the call", "[two]") {
  emulation::fail_next("ncclCommInitAll", 3);  // ncclInternalError
  try {
    const gpu::Communicators group({0, 1});
    FAIL("no error");
  } catch (const gpu::nccl_error& e) { CHECK_THAT(e.what(), ContainsSubstring("ncclCommInitAll: ")); }
}

TEST_CASE("engines of several devices give what one net gives", "[two]") {
  const Net net = loaded();
  for (const std::size_t count : {1, 2}) {
    const DataParallel<Net> several(net, std::vector<Device>(both.begin(), both.begin() + std::ptrdiff_t(count)));
    const auto engine = gpu::compile_replicas<Shape<7, 2, 5, 5>>(several, CompileOnHost());
    Tensor<float, Shape<7, 2, 5, 5>> x;
    fill(x);
    const auto y = engine(x);
    static_assert(std::is_same_v<decltype(y), const Tensor<float, Shape<7, 3>>>);
    CHECK(y.device() == cpu{});
    CHECK(close(y, Tensor<float, Shape<7, 3>>(net(x))));
  }
  CHECK(emulation::faults() == nothing());
}

TEST_CASE("inputs on a device give a result on the first device", "[two]") {
  const Net net = loaded();
  const auto engine =
      gpu::compile_replicas<Shape<dyn, 2, 5, 5>>(DataParallel<Net>(net, {cuda{1}, cuda{0}}), CompileOnHost());
  for (const idx batch : {1, 2, 5, 8}) {
    INFO(batch);
    Tensor<float, Shape<dyn, 2, 5, 5>> x(Dims{batch, 2, 5, 5});
    fill(x);
    const auto y = engine(to(x, cuda{0}));
    CHECK(y.device() == cuda{1});
    CHECK(close(to(y, cpu{}), Tensor<float, Shape<dyn, 3>>(net(x))));
  }
  CHECK(emulation::faults() == nothing());
}

namespace {
struct TwoResults {
  Linear<3, 2> fc;
  constexpr auto operator()(auto x, auto y) const {
    auto sum = materialise(fc(x) + y);
    return std::tuple(materialise(sum * 2.f), sum);
  }
};
}  // namespace

TEST_CASE("several inputs, and tuples of results", "[two]") {
  TwoResults net;
  for (float& w : net.fc.weight.span()) w = 0.5f;
  for (float& b : net.fc.bias.span()) b = 1;
  const auto engine =
      gpu::compile_replicas<Shape<5, 3>, Shape<5, 2>>(DataParallel<TwoResults>(net, both), CompileOnHost());
  Tensor<float, Shape<5, 3>> x;
  Tensor<float, Shape<5, 2>> y;
  fill(x), fill(y);
  const auto [twice, once] = engine(x, y);
  const auto [expected_twice, expected_once] = net(x, y);
  CHECK(close(twice, expected_twice));
  CHECK(close(once, expected_once));
}

TEST_CASE("an engine that fails is told of, and the others are not harmed", "[two]") {
  std::atomic<bool> fails = true;
  const auto make = [&](cuda device) {
    return [&fails, device](const auto& x) {
      if (fails && device.index == 1) throw gpu::gpu_error("device 1");
      return x;
    };
  };
  const gpu::Replicas<Tensor<float, Shape<4, 2>>, decltype(make(cuda{}))> engine(both, make);
  Tensor<float, Shape<4, 2>> x;
  fill(x);
  CHECK_THROWS_WITH(engine(x), "device 1");
  fails = false;
  CHECK(close(engine(x), x));
}

TEST_CASE("devices of two kinds, and none, are refused") {
  const Net net = loaded();
  const auto compile_on = [&](const std::vector<Device>& devices) {
    static_cast<void>(gpu::compile_replicas<Shape<2, 2, 5, 5>>(DataParallel<Net>(net, devices), CompileOnHost()));
  };
  CHECK_THROWS_WITH(compile_on({cuda{0}, cpu{}}), ContainsSubstring("cpu is among the devices"));
  CHECK_THROWS_AS(compile_on({}), device_error);
}
