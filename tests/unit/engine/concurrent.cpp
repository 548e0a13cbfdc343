/// Several threads call compiled models at the same time: one model, and one each.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <lamina.hpp>
#include <thread>
#include <vector>

using namespace lamina;

namespace {
using Net =
    Sequential<Conv2d<3, 24, conv{.kernel_size = 3, .padding = 1}>, ReLU,
               Conv2d<24, 16, conv{.kernel_size = 3, .padding = 1}>, ReLU, Conv2d<16, 5, conv{.kernel_size = 1}>>;
using Image = Shape<1, 3, 24, 24>;

Net make_net() {
  Net net;
  float value = 0;
  for (const auto& tensor : stored_tensors(net)) {
    *tensor.storage = Storage(std::size_t(count(tensor.dims)) * sizeof(float));
    for (idx i = 0; i < count(tensor.dims); ++i) {
      value = value > 0.9f ? -1.f : value + 0.137f;
      reinterpret_cast<float*>(tensor.storage->data())[i] = value * 0.1f;
    }
  }
  return net;
}
template <class X> void fill(X& x, int seed) {
  for (idx i = 0; i < x.size(); ++i) x.data()[i] = float((i * 31 + seed * 17) % 101) / 101.f - 0.5f;
}
template <class A, class B> bool same(const A& a, const B& b) {
  return std::equal(a.span().begin(), a.span().end(), b.span().begin(), b.span().end());
}

/// Every thread calls f(its number) often and compares with what it gets alone.
template <class F> int failures_of(int threads, int calls, F f) {
  std::vector<decltype(f(0))> alone;
  for (int t = 0; t < threads; ++t) alone.push_back(f(t));
  std::vector<int> failures(std::size_t(threads), 0);
  std::vector<std::thread> running;
  for (int t = 0; t < threads; ++t)
    running.emplace_back([&, t] {
      for (int i = 0; i < calls; ++i) failures[std::size_t(t)] += !same(f(t), alone[std::size_t(t)]);
    });
  for (std::thread& thread : running) thread.join();
  int sum = 0;
  for (int n : failures) sum += n;
  return sum;
}
}  // namespace

TEST_CASE("several threads run one compiled model", "[concurrent]") {
  const auto engine = compile<Image>(make_net());
  for (const int kernel_threads : {1, 2}) {
    set_num_threads(kernel_threads);
    CHECK(failures_of(4, 25, [&](int t) {
            Tensor<float, Image> x;
            fill(x, t);
            return engine(x);
          }) == 0);
  }
  set_num_threads(1);
}

TEST_CASE("several threads run compiled models of their own", "[concurrent]") {
  const Net net = make_net();
  std::vector<decltype(compile<Image>(net))> engines;
  for (int t = 0; t < 3; ++t) engines.push_back(compile<Image>(net));
  set_num_threads(2);
  CHECK(failures_of(3, 25, [&](int t) {
          Tensor<float, Image> x;
          fill(x, t);
          return engines[std::size_t(t)](x);
        }) == 0);
  set_num_threads(1);
}

TEST_CASE("several threads ask one model for new sizes", "[concurrent]") {
  const Net net = make_net();
  const auto engine = compile<Shape<1, 3, dyn, dyn>>(net);
  std::vector<std::thread> running;
  std::vector<int> failures(4, 0);
  for (int t = 0; t < 4; ++t)
    running.emplace_back([&, t] {
      for (int i = 0; i < 12; ++i) {
        Tensor<float, Shape<1, 3, dyn, dyn>> x(Dims{1, 3, 8 + (i + t) % 5, 9});
        fill(x, 1);
        failures[std::size_t(t)] += engine(x).dims() != Dims{1, 5, 8 + (i + t) % 5, 9};
      }
    });
  for (std::thread& thread : running) thread.join();
  CHECK(failures == std::vector<int>{0, 0, 0, 0});
}

TEST_CASE("several threads evaluate one net eagerly", "[concurrent]") {
  const Net net = make_net();
  CHECK(failures_of(4, 10, [&](int t) {
          Tensor<float, Image> x;
          fill(x, t);
          return net(x).value();
        }) == 0);
}
