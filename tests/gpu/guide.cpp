/// The code of docs/gpu.md.
#include "emulation/emulation.hpp"
#include "small_net.hpp"
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <lamina.hpp>
#include <lamina/cuda.hpp>

using namespace lamina;

TEST_CASE("a model goes to a GPU as the page says") {
  Net net;
  load(net, LAMINA_TEST_DATA "/data_parallel/weights.safetensors");
  Tensor<float, Shape<4, 2, 5, 5>> x;
  for (idx i = 0; i < x.size(); ++i) x.data()[i] = float(i % 7) / 7;

  auto engine = compile<Shape<4, 2, 5, 5>>(net, cuda{0});
  auto y = engine(x);                   // from the host and back: y is computed when the call returns
  auto there = engine(to(x, cuda{0}));  // from the GPU: the result stays there, computed some time later
  auto back = to(there, cpu{});         // waits for it
  auto half = compile<CompileOptions{.precision = Precision::float16}, Shape<dyn, 2, 5, 5>>(net, cuda{0});
  half.warm_up({{4, 2, 5, 5}});         // or the first calls with 4 items take the time
  auto moved = to(net, cuda{0});
  auto eager = moved(to(x, cuda{0}));   // layer by layer, on the GPU

  const auto expected = net(x);
  for (idx i = 0; i < y.size(); ++i) {
    CHECK(std::abs(y.data()[i] - expected.data()[i]) <= 1e-5f);
    CHECK(back.data()[i] == y.data()[i]);
    CHECK(std::abs(to(eager, cpu{}).data()[i] - expected.data()[i]) <= 1e-5f);
    CHECK(std::abs(half(x).data()[i] - expected.data()[i]) <= 1e-2f);
  }
  CHECK(emulation::faults().empty());
}
