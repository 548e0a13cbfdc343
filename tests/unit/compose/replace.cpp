#include <catch2/catch_test_macros.hpp>
#include <lamina/compose/module_dict.hpp>
#include <lamina/compose/module_list.hpp>
#include <lamina/compose/replace.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/conv2d.hpp>
#include <lamina/layers/dropout.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/meta/counts.hpp>
#include <lamina/models/resnet.hpp>
#include <lamina/parallel/data_parallel.hpp>

using namespace lamina;

namespace {
/// A value, a flag, then a type with a default; attributes beside the layers.
template <int Classes, bool Flag = true, class Fc = Linear<8, Classes>> struct Head {
  Linear<4, 8> body;
  Fc fc;
  int attribute = 3;
  constexpr auto operator()(auto x) const { return fc(body(x)); }
};
/// An option as a value, and two parameters of one type.
template <conv Options, class First = ReLU, class Second = ReLU> struct Two {
  Conv2d<3, 3, Options> conv1;
  First act1;
  Second act2;
  constexpr auto operator()(auto x) const { return act2(act1(conv1(x))); }
};
/// Members that are said instead of reflected.
template <class Fc = Linear<8, 4>> class Said {
  Linear<4, 8> body;
  Fc fc;

 public:
  LAMINA_MEMBERS(body, fc)
  const Fc& head() const { return fc; }
  auto* elements() { return body.weight.data(); }
};
struct Plain {
  Sequential<named<"fc", Linear<4, 8>>> layers;
  Linear<8, 2> fc;
};
template <int A, int B, int C, int D, int E, int F, class Fc> struct SixValues {
  Linear<A + B + C + D + E + F, 2> body;
  Fc fc;
};
}  // namespace

TEST_CASE("replace rebinds the type parameter of a member and moves the rest") {
  Head<2> net;
  net.body.weight.data()[0] = 1;
  net.attribute = 7;
  const float* elements = std::as_const(net.body.weight).data();
  auto changed = replace<"fc">(std::move(net), Sequential<Linear<8, 6>, ReLU>{});
  static_assert(std::is_same_v<decltype(changed), Head<2, true, Sequential<Linear<8, 6>, ReLU>>>);
  static_assert(std::is_same_v<output_shape<decltype(changed), Shape<1, 4>>, Shape<1, 6>>);
  CHECK(std::as_const(changed.body.weight).data() == elements);
  CHECK(changed.attribute == 7);
}

TEST_CASE("replace finds the one parameter that stands for the member") {
  auto second = replace<"act2">(Two<conv{.kernel_size = 3}>{}, Sigmoid{});
  static_assert(std::is_same_v<decltype(second), Two<conv{.kernel_size = 3}, ReLU, Sigmoid>>);
  auto both = replace<"act1">(std::move(second), Tanh{});
  static_assert(std::is_same_v<decltype(both), Two<conv{.kernel_size = 3}, Tanh, Sigmoid>>);
  auto six = replace<"fc">(SixValues<1, 2, 3, 4, 5, 6, ReLU>{}, Tanh{});
  static_assert(std::is_same_v<decltype(six), SixValues<1, 2, 3, 4, 5, 6, Tanh>>);
}

TEST_CASE("replace works on classes that say their members") {
  Said<> net;
  net.elements()[0] = 2;
  auto changed = replace<"fc">(std::move(net), Linear<8, 1>{});
  static_assert(std::is_same_v<decltype(changed), Said<Linear<8, 1>>>);
  CHECK(changed.elements()[0] == 2);
}

TEST_CASE("a layer of the same type needs no parameter") {
  Plain net;
  net.layers[0_c].weight.data()[0] = 3;
  Linear<8, 2> fc;
  fc.weight.data()[0] = 4;
  Plain changed = replace<"fc">(std::move(net), fc);
  CHECK(std::as_const(changed.fc.weight).data()[0] == 4);
  CHECK(std::as_const(changed.layers)[0_c].weight.data()[0] == 3);
  Linear<4, 8> inner;
  inner.weight.data()[0] = 5;
  changed = replace<"layers.fc">(std::move(changed), std::move(inner));
  CHECK(std::as_const(changed.layers)[0_c].weight.data()[0] == 5);
}

TEST_CASE("in a container the name stays") {
  auto dict = replace<"act">(ModuleDict<named<"fc", Linear<2, 2>>, named<"act", ReLU>>{}, Sigmoid{});
  static_assert(std::is_same_v<decltype(dict), ModuleDict<named<"fc", Linear<2, 2>>, named<"act", Sigmoid>>>);
  auto list = replace<-1>(ModuleList<ReLU, ReLU>{}, Tanh{});
  static_assert(std::is_same_v<decltype(list), ModuleList<ReLU, Tanh>>);
  auto mixed = replace<"0">(Sequential<ReLU, named<"fc", Linear<2, 2>>>{}, Tanh{});
  static_assert(std::is_same_v<decltype(mixed), Sequential<Tanh, named<"fc", Linear<2, 2>>>>);
}

TEST_CASE("a dotted path rebuilds every module on the way") {
  DataParallel<Sequential<named<"net", Head<3>>, ReLU>> net;
  net.module()["net"_m].body.bias.data()[0] = 6;
  auto changed = replace<"module.net.fc">(std::move(net), Linear<8, 5>{});
  static_assert(
      std::is_same_v<decltype(changed), DataParallel<Sequential<named<"net", Head<3, true, Linear<8, 5>>>, ReLU>>>);
  CHECK(std::as_const(changed).module()["net"_m].body.bias.data()[0] == 6);
}

TEST_CASE("head and first convolution of a ResNet can be replaced") {
  using models::ResNet18;
  ResNet18 net;
  net.layer4[0_c].conv1.weight.data()[0] = 8;
  auto grey = replace<"conv1">(replace<"fc">(std::move(net), Linear<512, 10>{}),
                               Conv2d<1, 64, conv{.kernel_size = 7, .stride = 2, .padding = 3, .bias = false}>{});
  static_assert(std::is_same_v<output_shape<decltype(grey), Shape<2, 1, 64, 64>>, Shape<2, 10>>);
  CHECK(std::as_const(grey).layer4[0_c].conv1.weight.data()[0] == 8);
  CHECK(module_name<decltype(grey)>() == "ResNet");
}
