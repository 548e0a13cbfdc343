#include "marked.hpp"
#include <catch2/catch_test_macros.hpp>
#include <lamina/compose/adapt.hpp>
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
#include <lamina/models/unet.hpp>
#include <lamina/parallel/data_parallel.hpp>
#include <lamina/reflect/keys.hpp>

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

namespace {
template <int Width, class... Replaced> struct Block {
  replaceable<"fc1", Linear<4, Width>, Replaced...> fc1;
  replaceable<"fc2", Linear<Width, 4>, Replaced...> fc2;
  constexpr auto operator()(auto x) const { return fc2(fc1(x)); }
};
/// A pack that is not there for named members.
template <class... Layer> struct Chain {
  Sequential<Layer...> layers;
  Linear<4, 2> fc;
};
}  // namespace

TEST_CASE("a replaceable member is rebound by its name") {
  static_assert(std::is_same_v<member_types<Block<8>>, types<Linear<4, 8>, Linear<8, 4>>>);
  auto once = replace<"fc2">(Block<8>{marked<4, 8>(3), {}}, Linear<8, 2>{});
  CHECK(is_a<Block<8, named<"fc2", Linear<8, 2>>>>(once));
  CHECK(mark(once.fc1) == 3);
  auto both = replace<"fc1">(std::move(once), Sequential<Linear<4, 8>, ReLU>{});
  CHECK(is_a<Block<8, named<"fc2", Linear<8, 2>>, named<"fc1", Sequential<Linear<4, 8>, ReLU>>>>(both));
  auto again = replace<"fc2">(std::move(both), marked<8, 3>(4));
  CHECK(is_a<Block<8, named<"fc2", Linear<8, 3>>, named<"fc1", Sequential<Linear<4, 8>, ReLU>>>>(again));
  CHECK(mark(again.fc2) == 4);
}

TEST_CASE("any layer deep in a model can be replaced") {
  models::ResNet50 net;
  net.layer4[1_c].conv3.weight.data()[0] = 5;
  net.layer4[2_c].conv2.weight.data()[0] = 6;
  net.fc.bias.data()[0] = 7;
  constexpr conv biased{.kernel_size = 1};
  auto changed = replace<"layer4.2.conv3">(std::move(net), Conv2d<512, 2048, biased>{});
  using Changed = decltype(changed);
  static_assert(parameter_count<Changed> == parameter_count<models::ResNet50> + 2048);
  static_assert(std::is_same_v<output_shape<Changed, Shape<2, 3, 64, 64>>, Shape<2, 1000>>);
  static_assert(module_name<Changed>() == "ResNet");
  CHECK(mark(std::as_const(changed).layer4[1_c].conv3) == 5);
  CHECK(mark(std::as_const(changed).layer4[2_c].conv2) == 6);
  CHECK(std::as_const(changed).fc.bias.data()[0] == 7);
  CHECK(get<"layer4.2.conv3.bias">(changed).size == 2048);

  auto unet = replace<"down1.maxpool_conv.1.double_conv.2">(models::UNet<3, 2, true, 4>{}, SiLU{});
  static_assert(std::is_same_v<output_shape<decltype(unet), Shape<1, 3, 32, 32>>, Shape<1, 2, 32, 32>>);
  static_assert(std::is_same_v<decltype(get<"down1.maxpool_conv.1.double_conv.2">(unet)), SiLU&>);
}

TEST_CASE("parameters and buffers are found by their keys") {
  models::ResNet18 net;
  CHECK(&get<"layer1.0.bn2.weight">(net) == &net.layer1[0_c].bn2.weight);
  CHECK(&get<"bn1.running_mean">(std::as_const(net)) == &net.bn1.running_mean);
  get<"fc.bias">(net).data()[3] = 2;
  CHECK(std::as_const(net).fc.bias.data()[3] == 2);
}

TEST_CASE("adapt moves what agrees in key, shape and element type") {
  Plain net;
  net.layers[0_c].weight.data()[0] = 3;
  net.fc.weight.data()[0] = 4;
  struct Other {
    Linear<8, 3> fc;  // another shape
    Sequential<named<"fc", Linear<4, 8>>, named<"extra", Linear<8, 8>>> layers;
  };
  const float* elements = std::as_const(net.layers)[0_c].weight.data();
  const auto other = adapt<Other>(std::move(net));
  CHECK(other.layers[0_c].weight.data() == elements);
  CHECK(!other.fc.weight.has_values());
  CHECK(!other.layers[1_c].weight.has_values());
  CHECK(std::as_const(net).fc.weight.data()[0] == 4);  // what found no place stays
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
