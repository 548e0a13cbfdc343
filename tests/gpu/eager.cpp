/// Eager evaluation on GPUs: layers that are called with tensors there.
#include "emulation/emulation.hpp"
#include "largest_error.hpp"
#include "networks.hpp"
#include "small_net.hpp"
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <future>
#include <lamina/cuda.hpp>
#include <thread>

using namespace lamina;
using Catch::Matchers::ContainsSubstring;

namespace {
using Image = Shape<2, 2, 5, 5>;

/// Of a result on a device.
double error_of(const auto& on_device, const auto& expected) {
  CHECK(materialise(on_device).device() != cpu{});
  return largest_error(to(on_device, cpu{}), materialise(expected));
}
std::vector<std::string> nothing() { return {}; }

/// Two convolutions around which the operand passes.
struct Residual {
  Conv2d<2, 2, conv{.kernel_size = 3, .padding = 1}> conv1;
  BatchNorm2d<2> bn1;
  Conv2d<2, 2, conv{.kernel_size = 3, .padding = 1, .bias = false}> conv2;
  BatchNorm2d<2> bn2;
  auto operator()(auto x) const { return relu(bn2(conv2(silu(bn1(conv1(x))))) + x); }
};
/// What is no product.
struct Others {
  LayerNorm<Shape<5>> layer_norm;
  GroupNorm<2, 4> group_norm;
  BatchNorm2d<4> batch_norm;
  Parameter<Shape<5>> scale;
  auto operator()(auto x) const {
    const auto normed = materialise(batch_norm(x));
    return std::tuple(layer_norm(x) * scale, group_norm(normed), normed, softmax<1>(x), log_softmax<-1>(x),
                      Upsample<upsample{.scale_factor = 2}>{}(x),
                      Upsample<upsample{.scale_factor = 2, .mode = "bilinear"}>{}(x), pad<1, 2, 0, 1>(x),
                      cat<1>(x, normed, x), matmul(x, x), tanh(x) - x / (x * x + 1.f), flatten<1>(x) * 3.f,
                      mse_loss(x, normed), pad_to(MaxPool2d<>{}(x), x));
  }
};
}  // namespace

TEST_CASE("every kind of step gives what the CPU gives, layer by layer") {
  networks::EveryKind net;
  full_size::fill(net);
  const auto there = to(net, cuda{0});
  networks::with_inputs([&]<class... Inputs>() {
    const std::tuple inputs(filled<Inputs>()...);
    const auto expected = std::apply([&](const auto&... x) { return net(x...); }, inputs);
    const auto results = std::apply([&](const auto&... x) { return there(to(x, cuda{0})...); }, inputs);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      for (const double error : {error_of(std::get<I>(results), std::get<I>(expected))...}) CHECK(error < 1e-5);
    }
    (std::index_sequence_for<Inputs...>());
  });
  CHECK(emulation::faults() == nothing());
}

TEST_CASE("operations that are no products give what the CPU gives") {
  Others net;
  full_size::fill(net);
  const auto x = filled<Shape<2, 4, 5, 5>>();
  const auto expected = net(x), results = to(net, cuda{0})(to(x, cuda{0}));
  std::apply(
      [&](const auto&... y) {
        std::apply(
            [&](const auto&... e) {
              for (const double error : {error_of(y, e)...}) CHECK(error < 1e-5);
            },
            expected);
      },
      results);
  Tensor<std::int64_t, Shape<3>> classes;
  classes(1) = 2;
  const auto scores = filled<Shape<3, 4>>();
  CHECK(error_of(cross_entropy(to(scores, cuda{0}), to(classes, cuda{0})), cross_entropy(scores, classes)) < 1e-6);
  CHECK(emulation::faults() == nothing());
}

TEST_CASE("batch norm, addition and function go into the convolution's step") {
  Residual net;
  full_size::fill(net);
  const auto x = filled<Image>();
  const auto there = to(net, cuda{0});
  const auto on_device = to(x, cuda{0});
  CHECK(error_of(there(on_device), net(x)) < 1e-5);
  const long graphs = emulation::calls("cudnnBackendExecute");
  static_cast<void>(materialise(there(on_device)));
  CHECK(emulation::calls("cudnnBackendExecute") == graphs + 2);
}

TEST_CASE("weights that change are packed again, and only those") {
  Net net = loaded();
  const auto x = filled<Image>();
  Net there = to(net, cuda{0});
  const auto on_device = to(x, cuda{0});
  CHECK(error_of(there(on_device), net(x)) < 1e-5);
  for (float& w : net[0_c].weight.span()) w *= -2;
  there[0_c].weight.storage() = to(std::as_const(net), cuda{0})[0_c].weight.storage();
  CHECK(error_of(there(on_device), net(x)) < 1e-5);
  const auto copies = emulation::calls("cudaMemcpyAsync");
  const auto kernels = emulation::calls("cudaLibraryLoadData");
  for (int i = 0; i < 2; ++i) static_cast<void>(materialise(there(on_device)));
  CHECK(emulation::calls("cudaMemcpyAsync") == copies);
  CHECK(emulation::calls("cudaLibraryLoadData") == kernels);
  for (float& b : net[4_c].bias.span()) b += 1;
  Storage::copy_bytes(there[4_c].bias.storage(), 0, std::as_const(net)[4_c].bias.storage(), 0, 3 * sizeof(float));
  there[4_c].bias.storage().written();
  CHECK(error_of(there(on_device), net(x)) < 1e-5);
}

TEST_CASE("what a model needs on the device goes with it") {
  const auto x = to(filled<Image>(), cuda{0});
  static_cast<void>(to(to(loaded(), cuda{0})(x), cpu{}));
  const std::size_t used = emulation::memory_used(0);
  for (int i = 0; i < 3; ++i) {
    const auto y = to(loaded(), cuda{0})(x);
    CHECK(to(y, cpu{}).size() == 6);
  }
  CHECK(emulation::memory_used(0) == used);
}

TEST_CASE("tensors go from thread to thread, and from device to device", "[two]") {
  const Net net = loaded(), first = to(net, cuda{0}), second = to(net, cuda{1});
  const auto x = filled<Image>();
  Tensor<float, Image> on_device;
  std::thread([&] { on_device = to(x, cuda{0}); }).join();
  Tensor<float, Shape<2, 3>> y, z;
  {  // the thread that computes y goes on while this one reads it
    std::promise<void> computed, read;
    std::thread thread([&] {
      y = materialise(first(on_device));
      computed.set_value();
      read.get_future().wait();
    });
    computed.get_future().wait();
    CHECK(error_of(y * 2.f, net(x) * 2.f) < 1e-5);
    read.set_value();
    thread.join();
  }
  std::thread([&] { z = materialise(second(to(on_device, cuda{1}))); }).join();
  CHECK(error_of(y, net(x)) < 1e-5);
  CHECK(error_of(z, net(x)) < 1e-5);
  CHECK(error_of(y + to(z, cuda{0}), net(x) * 2.f) < 1e-5);
  std::vector<std::thread> threads;
  std::vector<Tensor<float, Shape<2, 3>>> results(4);
  for (auto& result : results) threads.emplace_back([&] { result = to(first(on_device) * 3.f, cpu{}); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) CHECK(error_of(to(result, cuda{0}), net(x) * 3.f) < 1e-5);
  CHECK(emulation::faults() == nothing());
}

TEST_CASE("extents may be dyn, or zero, and share the packed weights") {
  const Net net = loaded(), there = to(net, cuda{0});
  for (const idx n : {1, 3}) {
    Tensor<float, Shape<dyn, 2, 5, 5>> x({n, 2, 5, 5});
    x.fill(float(n));
    CHECK(error_of(there(to(x, cuda{0})), net(x)) < 1e-5);
  }
  const std::size_t used = emulation::memory_used(0);
  CHECK(to(there(to(Tensor<float, Shape<dyn, 2, 5, 5>>({2, 2, 5, 5}), cuda{0})), cpu{}).size() == 6);
  CHECK(emulation::memory_used(0) == used);
  const Tensor<float, Shape<dyn, 2, 5, 5>> none({0, 2, 5, 5});
  CHECK(to(there(to(none, cuda{0})), cpu{}).size() == 0);
}

TEST_CASE("a device without room gives nothing away") {
  const Net there = to(loaded(), cuda{0});
  const auto x = to(filled<Image>(), cuda{0});
  const auto expected = to(there(x), cpu{});
  const std::size_t used = emulation::memory_used(0);
  for (const int skip : {0, 1, 2}) {
    emulation::fail_next("cudaMallocAsync", 2, skip);
    CHECK_THROWS_AS(to(there(x), cpu{}), gpu::out_of_memory);
    CHECK(emulation::memory_used(0) == used);
  }
  CHECK(to(there(x), cpu{})(1, 2) == expected(1, 2));
  CHECK_THROWS_WITH(loaded()(x), ContainsSubstring("a tensor [2, 2, 5, 5] is on cuda:0, a parameter on cpu"));
}
