/// Engines of GPUs: calls, sizes, threads, errors, and what a call costs.
#include "emulation/emulation.hpp"
#include "small_net.hpp"
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <lamina.hpp>
#include <lamina/cuda.hpp>
#include <thread>

using namespace lamina;
using Catch::Matchers::ContainsSubstring;

namespace {
using Image = Shape<2, 2, 5, 5>;

template <class X> X filled(X x, int seed = 0) {
  for (idx i = 0; i < x.size(); ++i) x.data()[i] = float((i * 31 + seed * 17) % 101) / 101.f - 0.5f;
  return x;
}
template <class A, class B> bool close(const A& a, const B& b, float tolerance = 1e-5f) {
  if (a.dims() != b.dims()) return false;
  for (idx i = 0; i < a.size(); ++i)
    if (!(std::abs(a.data()[i] - b.data()[i]) <= tolerance)) return false;
  return true;
}
std::vector<std::string> nothing() { return {}; }
}  // namespace

TEST_CASE("results are where the inputs are", "[two]") {
  const Net net = loaded();
  const auto engine = compile<Image>(net, cuda{1});
  CHECK(engine.device().index == 1);
  const auto x = filled(Tensor<float, Image>());
  const auto expected = materialise(net(x));
  const auto y = engine(x);
  static_assert(std::is_same_v<decltype(y), const Tensor<float, Shape<2, 3>>>);
  CHECK(y.device() == cpu{});
  CHECK(close(y, expected));
  const auto there = engine(to(x, cuda{1}));
  CHECK(there.device() == cuda{1});
  CHECK(close(to(there, cpu{}), expected));
  const Tensor<float, Image> same = x;
  CHECK(close(engine(same.view()), expected));
  CHECK(emulation::faults() == nothing());
}

TEST_CASE("an input on another device is refused", "[two]") {
  const auto engine = compile<Image>(loaded(), cuda{0});
  const Tensor<float, Image> x;
  CHECK_THROWS_AS(engine(to(x, cuda{1})), device_error);
  CHECK_THROWS_WITH(engine(to(x, cuda{1})),
                    "an input [2, 2, 5, 5] is on cuda:1, the model on cuda:0: move the input with to(x, cuda:0)");
}

TEST_CASE("a net on a device, or in host memory that goes, makes the same engine", "[two]") {
  const auto x = filled(Tensor<float, Image>());
  const auto make = [] {
    Net net = loaded();
    return std::pair{compile<Image>(net, cuda{0}), compile<Image>(to(std::move(net), cuda{1}), cuda{0})};
  };
  const auto [from_host, from_device] = make();
  const auto expected = materialise(loaded()(x));
  CHECK(close(from_host(x), expected));
  CHECK(close(from_device(x), expected));
  CHECK(emulation::faults() == nothing());
}

TEST_CASE("dyn sizes are planned when they come") {
  const Net net = loaded();
  const auto engine = compile<Shape<dyn, 2, 5, 5>>(net, cuda{0});
  for (const idx batch : {1, 3, 2, 3, 0}) {
    INFO(batch);
    const auto x = filled(Tensor<float, Shape<dyn, 2, 5, 5>>(Dims{batch, 2, 5, 5}), int(batch));
    CHECK(close(engine(x), materialise(net(x))));
  }
  CHECK(emulation::faults() == nothing());
}

TEST_CASE("a warm call allocates nothing and is one launch") {
  const auto engine = compile<Image>(loaded(), cuda{0});
  engine.warm_up();
  const auto x = filled(Tensor<float, Image>());
  const auto first = engine(x);
  const long allocations = emulation::calls("cudaMallocAsync"), kernels = emulation::calls("cudaLaunchKernel"),
             graphs = emulation::calls("cudnnBackendExecute"), launches = emulation::calls("cudaGraphLaunch");
  CHECK(close(engine(x), first, 0));
  CHECK(emulation::calls("cudaMallocAsync") == allocations);
  CHECK(emulation::calls("cudaLaunchKernel") == kernels);
  CHECK(emulation::calls("cudnnBackendExecute") == graphs);
  CHECK(emulation::calls("cudaGraphLaunch") == launches + 1);
}

TEST_CASE("what cuDNN computes in one call is one task") {
  const auto tasks_of = [](const auto& engine) { return engine.plan().tasks(); };
  const auto tasks = tasks_of(compile<CompileOptions{.precision = Precision::float16}, Image>(loaded(), cuda{0}));
  // To channels last, the convolution with norm and activation, to features, the linear layer, to float32.
  REQUIRE(tasks.size() == 5);
  for (std::size_t i = 0; i < tasks.size(); ++i) CHECK((tasks[i].graph != nullptr) == (i == 1 || i == 3));
}

TEST_CASE("several threads call one engine") {
  const Net net = loaded();
  const auto engine = compile<Image>(net, cuda{0});
  std::vector<int> right(4, 0);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 4; ++i) {
        const auto x = filled(Tensor<float, Image>(), 4 * t + i);
        right[std::size_t(t)] += close(engine(x), materialise(net(x)));
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(right == std::vector<int>(4, 4));
  CHECK(emulation::faults() == nothing());
}

TEST_CASE("refresh packs what was written") {
  Net net = loaded();
  auto fixed = compile<Image>(net, cuda{0});
  auto open = compile<Shape<dyn, 2, 5, 5>>(net, cuda{0});
  const auto x = filled(Tensor<float, Image>());
  const Tensor<float, Shape<dyn, 2, 5, 5>> same(x.storage(), x.dims());
  const auto before = fixed(x);
  CHECK(close(open(same), before));
  for (float& w : net[4_c].weight.span()) w *= 2;
  CHECK(close(fixed(x), before));
  fixed.refresh(net);
  open.refresh(net);
  const auto expected = materialise(net(x));
  CHECK(!close(before, expected));
  CHECK(close(fixed(x), expected));
  CHECK(close(open(same), expected));
  CHECK(emulation::faults() == nothing());
}

TEST_CASE("16 bits and TF32 are as close as their mantissas") {
  const Net net = loaded();
  const auto x = filled(Tensor<float, Image>());
  const auto expected = materialise(net(x));
  const auto check = [&]<Precision P>(float tolerance) {
    const auto y = compile<CompileOptions{.precision = P}, Image>(net, cuda{0})(x);
    CHECK(close(y, expected, tolerance));
    CHECK(!close(y, expected, 1e-6f));
  };
  check.operator()<Precision::tensorfloat32>(5e-3f);
  check.operator()<Precision::float16>(5e-3f);
  check.operator()<Precision::bfloat16>(4e-2f);
}

TEST_CASE("without memory an engine is not made, and the device is as it was") {
  const Net net = loaded();
  const std::size_t used = emulation::memory_used(0);
  emulation::set_memory_limit(0, used + 512);
  CHECK_THROWS_AS(compile<Image>(net, cuda{0}), gpu::out_of_memory);
  CHECK(emulation::memory_used(0) == used);
  emulation::set_memory_limit(0, std::size_t(1) << 30);
  const auto engine = compile<Image>(net, cuda{0});
  emulation::set_memory_limit(0, emulation::memory_used(0) + 16);
  const auto x = filled(Tensor<float, Image>());
  CHECK_THROWS_AS(engine(x), gpu::out_of_memory);
  emulation::set_memory_limit(0, std::size_t(1) << 30);
  CHECK(close(engine(x), materialise(net(x))));
  CHECK(emulation::faults() == nothing());
}

TEST_CASE("there is no such device") {
  CHECK_THROWS_AS(compile<Image>(loaded(), cuda{7}), gpu::no_device);
  CHECK_THROWS_WITH(compile<Image>(loaded(), cuda{7}), ContainsSubstring("there is no cuda:7"));
}

TEST_CASE("a model without values is refused by name") {
  CHECK_THROWS_WITH(compile<Image>(Net(), cuda{0}), ContainsSubstring("0.weight [4, 2, 3, 3] has no values yet"));
}

namespace {
/// Two results, an operand that is no float, and a residual that is an input.
struct Several {
  Linear<6, 3> fc;
  constexpr auto operator()(auto x, auto y, auto labels) const {
    auto scores = materialise(fc(x) + y);
    return std::tuple(CrossEntropyLoss<>()(scores, labels), scores);
  }
};
}  // namespace

TEST_CASE("several inputs and results") {
  Several net;
  for (idx i = 0; i < net.fc.weight.size; ++i) net.fc.weight.data()[i] = float(i % 5) / 5.f;
  for (float& b : net.fc.bias.span()) b = 0.25f;
  const auto x = filled(Tensor<float, Shape<4, 6>>());
  const auto y = filled(Tensor<float, Shape<4, 3>>(), 1);
  Tensor<std::int64_t, Shape<4>> labels;
  for (idx i = 0; i < 4; ++i) labels(i) = i % 3;
  const auto engine = compile<Shape<4, 6>, Shape<4, 3>, Tensor<std::int64_t, Shape<4>>>(net, cuda{0});
  const auto host = compile<Shape<4, 6>, Shape<4, 3>, Tensor<std::int64_t, Shape<4>>>(net);
  const auto [loss, scores] = engine(x, y, labels);
  const auto [expected_loss, expected_scores] = host(x, y, labels);
  CHECK(close(loss, expected_loss));
  CHECK(close(scores, expected_scores));
  // One input on the host: results too.
  CHECK(std::get<1>(engine(to(x, cuda{0}), y, labels)).device() == cpu{});
  CHECK(emulation::faults() == nothing());
}

TEST_CASE("a DataParallel net on two devices gives what one net gives", "[two]") {
  const Net net = loaded();
  const DataParallel<Net> several(net, {cuda{0}, cuda{1}});
  const long broadcasts = emulation::calls("ncclBroadcast");
  const auto engine = compile_replicas<Shape<7, 2, 5, 5>>(several);
  CHECK(emulation::calls("ncclBroadcast") > broadcasts);
  const auto x = filled(Tensor<float, Shape<7, 2, 5, 5>>());
  const auto expected = materialise(net(x));
  for (int i = 0; i < 3; ++i) CHECK(close(engine(x), expected));
  CHECK(emulation::faults() == nothing());
}

TEST_CASE("nothing is left on a device") {
  const auto memory = emulation::memory_used(0);
  {
    const auto engine = compile<Image>(loaded(), cuda{0});
    static_cast<void>(engine(Tensor<float, Image>()));
    static_cast<void>(engine(to(Tensor<float, Image>(), cuda{0})));
  }
  CHECK(emulation::memory_used(0) == memory);
}
