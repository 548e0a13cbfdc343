#include <catch2/catch_test_macros.hpp>
#include <lamina/compose/access.hpp>
#include <lamina/compose/iterate.hpp>
#include <lamina/compose/module_dict.hpp>
#include <lamina/compose/module_list.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/functional.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/meta/counts.hpp>
#include <lamina/reflect/module.hpp>
#include <string>
#include <vector>

using namespace lamina;

namespace {
using List = ModuleList<Linear<4, 8>, ReLU, Linear<8, 2>>;
using Dict = ModuleDict<named<"linear", Linear<4, 8>>, named<"act", ReLU>>;

struct Nested {
  Sequential<named<"encoder", Sequential<Linear<4, 8>, ReLU>>, named<"head", Linear<8, 2>>> layers;
};
}  // namespace

TEST_CASE("positions count from the front and from the back") {
  List list;
  CHECK(&list[0_c] == &list[-3_c]);
  CHECK(&get<2>(list) == &get<-1>(list));
  static_assert(std::is_same_v<decltype(list[-1_c]), Linear<8, 2>&>);
  static_assert(std::is_same_v<decltype(std::as_const(list)[1_c]), const ReLU&>);
  static_assert(List::size() == 3);
}

TEST_CASE("children are found by name, and by position where they have none") {
  Dict dict;
  CHECK(&dict["linear"_m] == &dict[0_c]);
  static_assert(Dict::contains("act") && !Dict::contains("output") && Dict::find("act") == 1);
  CHECK(contains<"act">(dict));
  CHECK(!contains<"output">(dict));

  // PyTorch names a child without a name by its position, also between named ones.
  using Mixed = Sequential<Linear<4, 8>, named<"act", ReLU>, Linear<8, 2>>;
  static_assert(Mixed::contains("0") && Mixed::contains("act") && Mixed::contains("2") && !Mixed::contains("1"));
  Mixed mixed;
  CHECK(&mixed["2"_m] == &mixed[2_c]);
}

TEST_CASE("a dotted path leads through containers and aggregates") {
  Nested net;
  CHECK(&get<"layers.encoder.0">(net) == &net.layers["encoder"_m][0_c]);
  CHECK(&get<"layers.head">(std::as_const(net)) == &net.layers["head"_m]);
  static_assert(has_child<Nested, "layers"> && !has_child<Nested, "head">);
}

TEST_CASE("a container is made from layers, which move") {
  Linear<4, 4> layer;
  layer.weight.data()[0] = 7;
  const float* elements = std::as_const(layer.weight).data();
  Sequential net(std::move(layer), ReLU{});
  static_assert(std::is_same_v<decltype(net), Sequential<Linear<4, 4>, ReLU>>);
  CHECK(std::as_const(net)[0_c].weight.data() == elements);
}

TEST_CASE("for_each visits children in order, with their positions if asked") {
  const List list;
  std::vector<std::string> names;
  for_each(list, [&]<class L>(const L&) { names.emplace_back(class_name<L>()); });
  CHECK(names == std::vector<std::string>{"Linear", "BasicReLU", "Linear"});
  std::vector<const void*> addresses;
  for_each(list, [&](auto position, const auto& child) {
    CHECK(static_cast<const void*>(&list[position]) == &child);
    addresses.push_back(&child);
  });
  CHECK(addresses.size() == 3);
  for_each(ModuleList<>{}, [](const auto&) { FAIL("an empty list has no children"); });

  const Dict dict;
  std::string dict_names;
  for_each_child(dict, [&](std::string_view name, const auto&) { dict_names += std::string(name) + ' '; });
  CHECK(dict_names == "linear act ");
}

TEST_CASE("for_each may change the children") {
  ModuleList<Linear<2, 2>, Linear<2, 2>> list;
  for_each(list, [](auto& layer) { layer.bias.data()[0] = 3; });
  CHECK(std::as_const(list)[1_c].bias.data()[0] == 3);
}

TEST_CASE("a view is a slice in place") {
  List list;
  auto rest = view<1>(list);
  CHECK(rest.size() == 2);
  CHECK(&rest[0_c] == &list[1_c]);
  CHECK(&rest[-1_c] == &list[2_c]);
  CHECK(view<-1>(list).size() == 1);
  CHECK(view<2, 1>(list).size() == 0);
  int visited = 0;
  for_each(view<0, -1>(std::as_const(list)), [&](const auto&) { ++visited; });
  CHECK(visited == 2);
}

TEST_CASE("fold threads a value of changing type through the children") {
  const ModuleList<Linear<4, 8>, Linear<8, 3>> list;
  // Counts what it meets: the type of the value need not be a tensor.
  const auto text = fold(list, std::string(),
                         [](std::string x, const auto& layer) { return x + std::to_string(layer.weight.size) + ' '; });
  CHECK(text == "32 24 ");
  CHECK(fold(view<1, 1>(list), 5, [](int x, const auto&) { return x + 1; }) == 5);
}

namespace {
struct Residual {
  ModuleList<Linear<8, 8>, Linear<8, 8>, Linear<8, 8>, Linear<8, 2>> layers;
  constexpr auto operator()(auto x) const {
    auto y = fold(view<0, -1>(layers), x, [](auto h, const auto& layer) { return relu(layer(h)) + h; });
    return layers[-1_c](y);
  }
};
/// Two inputs, lists side by side, in the order from the back.
struct TwoLists {
  ModuleList<Linear<4, 4>, Linear<4, 6>> left;
  ModuleList<Linear<5, 4>, Linear<4, 6>> right;
  constexpr auto operator()(auto x, auto y) const { return left[-1_c](left[0_c](x)) + right[-1_c](right[0_c](y)); }
};
}  // namespace

TEST_CASE("a model loops over its list with other values in between") {
  static_assert(std::is_same_v<output_shape<Residual, Shape<4, 8>>, Shape<4, 2>>);
  static_assert(macs<Residual, Shape<4, 8>> == 4 * (3 * 64 + 16));
  static_assert(std::is_same_v<output_shape<TwoLists, Shape<3, 4>, Shape<3, 5>>, Shape<3, 6>>);
  constexpr int nodes = int(record_graph<Residual, Shape<4, 8>>().nodes.size());
  static_assert(nodes == 1 + 3 * 3 + 1);  // input, three times (linear, relu, add), linear
}
