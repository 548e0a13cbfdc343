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
/// As many members as an aggregate may have.
struct Wide {
  float a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0, j = 0, k = 0, l = 0, m = 0, n = 0, o = 0, p = 0;
  float q = 0, r = 0, s = 0, t = 0, u = 0, v = 0, w = 0, x = 0, y = 0, z = 0, A = 0, B = 0, C = 0, D = 0, E = 0, F = 0;
  float G = 0, H = 0, I = 0, J = 0, K = 0, L = 0, M = 0, N = 0, O = 0, P = 0, Q = 0, R = 0, S = 0, T = 0, U = 0, V = 0;
  float W = 0, X = 0, Y = 0, Z = 0, a1 = 0, b1 = 0, c1 = 0, d1 = 0, e1 = 0, f1 = 0, g1 = 0, h1 = 0, i1 = 0, j1 = 0;
  Linear<2, 2> fc;
  const int last = 64;
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
  static_assert(member_count<Wide> == 64 && member_name<Wide>(62) == "fc" && member_name<Wide>(63) == "last");
  Wide wide;
  CHECK(&get_member<61>(wide) == &wide.j1);
  CHECK(&get_member<62>(std::as_const(wide)) == &wide.fc);
  int visited = 0;
  for_each_member(wide, [&]<class M>(std::string_view name, M& member) {
    CHECK(member_name<Wide>(std::size_t(visited++)) == name);
    if constexpr (std::is_same_v<M, const int>) CHECK(member == 64);
  });
  CHECK(visited == 64);
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
