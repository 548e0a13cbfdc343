// Outputs of named modules: eager, planned, and as shapes.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <lamina/compose/module_list.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/compose/with_output.hpp>
#include <lamina/eager/eager.hpp>
#include <lamina/engine/compile.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/batch_norm.hpp>
#include <lamina/layers/conv2d.hpp>
#include <lamina/layers/functional.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/layers/pooling.hpp>
#include <lamina/meta/counts.hpp>
#include <lamina/reflect/keys.hpp>
#include <lamina/reflect/print.hpp>

using namespace lamina;

namespace {
constexpr conv same{.kernel_size = 3, .padding = 1};

struct Block {
  Conv2d<4, 4, same> conv1;
  BatchNorm2d<4> bn1;
  ReLU act;
  constexpr auto operator()(auto x) const { return act(bn1(conv1(x)) + x); }
};
struct Net {
  Conv2d<3, 4, same> stem;
  Sequential<Block, Block> body;
  Block last;
  AdaptiveAvgPool2d<Size2{1, 1}> pool;
  Linear<4, 2> fc;
  constexpr auto operator()(auto x) const { return fc(flatten<1>(pool(last(body(stem(x)))))); }
};
/// Two inputs and two results, and a layer that is called twice.
struct Two {
  Linear<4, 4> shared_layer;
  Linear<4, 2> head;
  constexpr auto operator()(auto x, auto y) const {
    auto a = materialise(shared_layer(x)), b = materialise(shared_layer(y));
    return std::tuple(materialise(head(a)), a + b);
  }
};
struct OnRows {
  Conv2d<2, 3, same> conv1;
  ReLU act;
  constexpr auto operator()(auto x) const { return act(conv1(x)); }
};

template <class M> M filled() {
  M net;
  std::uint32_t state = 7;
  for_each_stored(net, [&](const Path& path, auto& parameter) {
    for (auto& value : parameter.span()) {
      state = state * 1664525u + 1013904223u;
      const float u = float(state >> 8) * 0x1p-24f;
      value = path.name == "running_var" ? decltype(+value)(1 + u) : decltype(+value)(u - 0.5f);
    }
  });
  return net;
}
template <class T> T ramp() {
  T x;
  for (idx i = 0; i < x.size(); ++i) x.data()[i] = float(i % 13) / 13 - 0.4f;
  return x;
}
void check_close(const auto& a, const auto& b) {
  CHECK(a.dims() == b.dims());
  float difference = 0;
  for (idx i = 0; i < a.size(); ++i) difference = std::max(difference, std::abs(a.data()[i] - b.data()[i]));
  CHECK(difference < 1e-5f);
}
using X = Tensor<float, Shape<2, 3, 6, 5>>;
}  // namespace

TEST_CASE("outputs stand behind the result, in the order they were asked for") {
  using W = WithOutput<Net, "fc", "body", "body.0", "stem">;
  static_assert(
      std::is_same_v<output_shape<W, Shape<dyn, 3, 6, 5>>, std::tuple<Shape<dyn, 2>, Shape<dyn, 2>, Shape<dyn, 4, 6, 5>,
                                                                      Shape<dyn, 4, 6, 5>, Shape<dyn, 4, 6, 5>>>);
  static_assert(macs<W, Shape<2, 3, 6, 5>> == macs<Net, Shape<2, 3, 6, 5>>);
  const Net net = filled<Net>();
  const X x = ramp<X>();
  const Tensor<float, Shape<2, 4, 6, 5>> stem = net.stem(x), first = net.body[0_c](stem), second = net.body[1_c](first);
  const Tensor<float, Shape<2, 2>> y = net(x);

  const auto both = with_output<"fc", "body", "body.0", "stem">(Net(net));
  static_assert(std::is_same_v<std::remove_const_t<decltype(both)>, W>);
  const auto check = [&](const auto& results) {
    check_close(std::get<0>(results), y);
    check_close(std::get<1>(results), y);
    check_close(std::get<2>(results), second);
    check_close(std::get<3>(results), first);
    check_close(std::get<4>(results), stem);
  };
  check(both(x));
  check(compile<Shape<2, 3, 6, 5>>(both)(x));
  check(compile<Shape<dyn, 3, dyn, dyn>>(both)(x));
  CHECK(state_dict_keys<W>[0] == "net.stem.weight");
  CHECK(to_string(both).starts_with("WithOutput(\n  (net): Net(\n"));
}

TEST_CASE("only_output computes nothing behind what is wanted") {
  Net net = filled<Net>();
  const X x = ramp<X>();
  const Tensor<float, Shape<2, 4, 6, 5>> first = net.body[0_c](net.stem(x));
  const std::size_t all = compile<Shape<2, 3, 6, 5>>(net).plan().steps.size();

  // What nobody needs has no weights: computing it would throw.
  net.fc = {};
  net.last = {};
  net.body[1_c] = {};
  auto features = only_output<"body.0">(std::move(net));
  using Features = decltype(features);
  static_assert(std::is_same_v<Features, OnlyOutput<Net, "body.0">>);
  static_assert(std::is_same_v<output_shape<Features, Shape<2, 3, 6, 5>>, Shape<2, 4, 6, 5>>);
  static_assert(macs<Features, Shape<2, 3, 6, 5>> == 2 * 30 * 9 * (3 * 4 + 4 * 4));
  check_close(features(x), first);
  CHECK_THROWS_AS(features.net(x), parameter_error);

  // The plan has the steps of the stem and one block, each one kernel; the whole has two more blocks, pool and fc.
  constexpr std::size_t steps = StaticPlan<Features, CompileOptions{}, Shape<2, 3, 6, 5>>::table.steps.size();
  static_assert(steps < StaticPlan<WithOutput<Net, "body.0">, CompileOptions{}, Shape<2, 3, 6, 5>>::table.steps.size());
  CHECK(steps <= 3);
  CHECK(all >= steps + 4);
}

TEST_CASE("several features are a tuple") {
  const Net net = filled<Net>();
  const X x = ramp<X>();
  const auto features = only_output<"stem", "body">(Net(net));
  const Tensor<float, Shape<2, 4, 6, 5>> stem = net.stem(x), body = net.body(stem);
  const auto [a, b] = features(x);
  check_close(a, stem);
  check_close(b, body);
  const auto [c, d] = compile<Shape<2, 3, 6, 5>>(features)(x);
  check_close(c, stem);
  check_close(d, body);
}

TEST_CASE("of a module that is called more than once the last call counts") {
  const Two net = filled<Two>();
  Tensor<float, Shape<1, 4>> x = ramp<Tensor<float, Shape<1, 4>>>(), y;
  y.fill(0.3f);
  const Tensor<float, Shape<1, 4>> last = net.shared_layer(y);
  const auto both = with_output<"shared_layer">(Two(net));
  const auto results = both(x, y);
  static_assert(std::tuple_size_v<decltype(both(x, y))> == 3);  // the two results are not nested
  check_close(std::get<2>(results), last);
  check_close(std::get<2>(compile<Shape<1, 4>, Shape<1, 4>>(both)(x, y)), last);
  const auto only = only_output<"shared_layer">(Two(net));
  check_close(only(x, y), last);
  check_close(compile<Shape<1, 4>, Shape<1, 4>>(only)(x, y), last);
}

TEST_CASE("the output of a layer has the rank of its operand") {
  const OnRows net = filled<OnRows>();
  const auto x = ramp<Tensor<float, Shape<2, 5, 4>>>();
  const auto both = with_output<"conv1">(OnRows(net));
  static_assert(std::is_same_v<output_shape<decltype(with_output<"conv1">(OnRows{})), Shape<2, 5, 4>>,
                               std::tuple<Shape<3, 5, 4>, Shape<3, 5, 4>>>);
  const Tensor<float, Shape<3, 5, 4>> image = net.conv1(x);
  check_close(std::get<1>(both(x)), image);
  check_close(std::get<1>(compile<Shape<2, 5, 4>>(both)(x)), image);
}
