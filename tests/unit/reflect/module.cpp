#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/reflect/keys.hpp>
#include <string>
#include <vector>

using namespace lamina;

namespace {
struct Block {
  Linear<2, 2> fc;
  Buffer<Shape<2>> shift;
  Parameter<Shape<>> scale;
  int attribute = 4;
  constexpr auto operator()(auto x) const { return fc(x); }
};
struct Net {
  Sequential<named<"first", Block>, ReLU> layers;
  std::array<int, 2> sizes{};
  Linear<2, 1, false> head;
};
std::string dotted(const Path& path) {
  std::string text;
  path.append_to(text);
  CHECK(text.size() == path.size());
  return text;
}
}  // namespace

TEST_CASE("modules, parameters and attributes are told apart") {
  static_assert(module<Linear<2, 2>> && module<Sequential<>> && module<Block> && module<const Block>);
  static_assert(!module<int> && !module<Parameter<Shape<2>>> && !module<Absent> && !module<std::string> &&
                !module<Tensor<float, Shape<2>>>);
  static_assert(!module<std::array<float, 3>> && !module<std::pair<int, int>>);
}

TEST_CASE("the members of a module have names, types and an order") {
  static_assert(member_count<Block> == 4 && member_name<Block>(0) == "fc" && member_name<Block>(3) == "attribute");
  static_assert(std::is_same_v<member_types<Block>, types<Linear<2, 2>, Buffer<Shape<2>>, Parameter<Shape<>>, int>>);
  static_assert(std::is_same_v<member_types<Linear<2, 1, false>>, types<Parameter<Shape<1, 2>>, Absent>>);
  static_assert(std::is_same_v<member_types<Sequential<named<"a", ReLU>, Linear<2, 2>>>, types<ReLU, Linear<2, 2>>>);
  static_assert(member_name<Sequential<named<"a", ReLU>, Linear<2, 2>>>(0) == "a" &&
                member_name<Sequential<named<"a", ReLU>, Linear<2, 2>>>(1) == "1");
  Block block;
  CHECK(get_member<3>(block) == 4);
  CHECK(&get_member<0>(block) == &block.fc);
}

TEST_CASE("stored tensors come in the order of PyTorch's state_dict") {
  Net net;
  std::vector<std::string> paths;
  for_each_stored(net, [&](const Path& path, auto& parameter) {
    paths.push_back(dotted(path));
    parameter.data()[0] = 1;
  });
  CHECK(paths == std::vector<std::string>{"layers.first.scale", "layers.first.shift", "layers.first.fc.weight",
                                          "layers.first.fc.bias", "head.weight"});
  CHECK(net.head.weight.has_values());
  CHECK(std::equal(paths.begin(), paths.end(), state_dict_keys<Net>.begin(), state_dict_keys<Net>.end()));
}

TEST_CASE("modules come parents first") {
  const Net net;
  std::vector<std::string> paths, children;
  for_each_module(net, [&]<class M>(const Path& path, const M&) {
    paths.push_back(dotted(path) + ":" + std::string(module_name<M>()));
  });
  CHECK(paths == std::vector<std::string>{":Net", "layers:Sequential", "layers.first:Block", "layers.first.fc:Linear",
                                          "layers.1:ReLU", "head:Linear"});
  for_each_child(net, [&](std::string_view name, const auto&) { children.emplace_back(name); });
  CHECK(children == std::vector<std::string>{"layers", "head"});
}

TEST_CASE("a copy of a model shares nothing with it") {
  Net net;
  net.head.weight.data()[0] = 1;
  Net copy = net;
  copy.head.weight.data()[0] = 2;
  CHECK(std::as_const(net).head.weight.data()[0] == 1);
}
