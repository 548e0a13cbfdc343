// A module under several names, as PyTorch lists, prints and stores it.
#include "marked.hpp"
#include <catch2/catch_test_macros.hpp>
#include <lamina/compose/access.hpp>
#include <lamina/compose/edit.hpp>
#include <lamina/compose/join.hpp>
#include <lamina/compose/module_dict.hpp>
#include <lamina/compose/module_list.hpp>
#include <lamina/compose/replace.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/compose/slice.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/meta/counts.hpp>
#include <lamina/meta/summary.hpp>
#include <lamina/reflect/keys.hpp>
#include <lamina/reflect/print.hpp>
#include <lamina/reflect/stored.hpp>
#include <sstream>
#include <string>
#include <vector>

using namespace lamina;

namespace {
using Twice = Sequential<named<"first", Linear<4, 4>>, ReLU, named<"second", shared<"first">>>;
/// A class calls its sibling itself; the second name is a key.
struct Tied {
  Linear<4, 4> encoder;
  Sequential<Linear<4, 2>> head;
  shared<"encoder"> decoder;
  constexpr auto operator()(auto x) const { return head(encoder(encoder(x))); }
};
template <class Net> std::vector<std::string> keys(const Net& net, Names names) {
  std::vector<std::string> paths;
  for (const auto& tensor : stored_tensors(net, names)) paths.push_back(tensor.path + (tensor.again ? "*" : ""));
  return paths;
}
}  // namespace

TEST_CASE("a shared child is the same module with the same parameters") {
  Twice net;
  CHECK(&net[2_c] == &net[0_c]);
  CHECK(&get<"second">(net) == &net["first"_m]);
  Tied tied;
  CHECK(&get<"decoder.weight">(tied) == &tied.encoder.weight);
  static_assert(parameter_count<Twice> == 20 && parameter_count<Tied> == 20 + 10);
  static_assert(macs<Twice, Shape<1, 4>> == 2 * 16);
  // A copy shares within itself, and nothing with its source.
  net[0_c].weight.data()[0] = 1;
  Twice copy = net;
  copy[2_c].weight.data()[0] = 2;
  CHECK(mark(copy[0_c]) == 2);
  CHECK(mark(net[2_c]) == 1);
}

TEST_CASE("modules and parameters are listed once, keys of the state_dict all") {
  std::vector<std::string> children;
  const Twice net;
  for_each_child(net, [&](std::string_view name, const auto&) { children.emplace_back(name); });
  CHECK(children == std::vector<std::string>{"first", "1"});
  int stored = 0, modules = 0;
  for_each_stored(net, [&](const Path&, const auto&) { ++stored; });
  for_each_module(net, [&](const Path&, const auto&) { ++modules; });
  CHECK(stored == 2);
  CHECK(modules == 3);
  int calls = 0;
  for_each(net, [&](const auto&) { ++calls; });
  CHECK(calls == 3);  // iterating a Sequential gives it twice
  CHECK(keys(net, Names::first) == std::vector<std::string>{"first.weight", "first.bias"});
  CHECK(keys(net, Names::all) ==
        std::vector<std::string>{"first.weight", "first.bias", "second.weight*", "second.bias*"});
  static_assert(state_dict_keys<Twice> ==
                std::array<std::string_view, 4>{"first.weight", "first.bias", "second.weight", "second.bias"});
  CHECK(keys(Tied{}, Names::all) == std::vector<std::string>{"encoder.weight", "encoder.bias", "head.0.weight",
                                                             "head.0.bias", "decoder.weight*", "decoder.bias*"});
  static_assert(state_dict_keys<Tied>.size() == 6 && state_dict_keys<Tied>[5] == "decoder.bias");
}

TEST_CASE("print shows every name, named_modules the first") {
  CHECK(to_string(Twice{}) == "Sequential(\n"
                              "  (first): Linear(in_features=4, out_features=4, bias=True)\n"
                              "  (1): ReLU()\n"
                              "  (second): Linear(in_features=4, out_features=4, bias=True)\n"
                              ")");
  std::ostringstream text;
  print_named_modules(text, Twice{});
  CHECK(text.str() == "('', " + to_string(Twice{}) + ")\n" +
                          "('first', Linear(in_features=4, out_features=4, bias=True))\n"
                          "('1', ReLU())\n");
  // The table counts it once and says how often it is called.
  const std::string table = summary<Shape<1, 4>>(Twice{});
  CHECK(table.find("first: Linear (2 calls)") != table.npos);
  CHECK(table.find("second") == table.npos);
  CHECK(table.find("Total params: 20\n") != table.npos);
}

TEST_CASE("what is shared follows its module through edits") {
  using L = Linear<4, 4>;
  const auto deep = [] { return Sequential<L, ReLU>(marked<4, 4>(5), ReLU{}) * 2_c; };
  auto longer = insert<0>(deep(), Tanh{});
  CHECK(is_a<Sequential<Tanh, L, ReLU, shared<"1">, shared<"2">>>(longer));
  CHECK(&longer[3_c] == &longer[1_c]);
  CHECK(mark(longer[3_c]) == 5);
  CHECK(is_a<Sequential<L, ReLU, shared<"0">>>(erase<-1>(deep())));
  CHECK(is_a<Sequential<L, ReLU, shared<"0">>>(erase<3, 4>(deep())));
  CHECK(is_a<Sequential<L, ReLU, shared<"0">, Tanh>>(replace<3>(deep(), Tanh{})));
  CHECK(is_a<Sequential<Tanh, L, ReLU, shared<"1">, shared<"2">>>(extend(Sequential<Tanh>{}, deep())));
  CHECK(is_a<Sequential<named<"first", L>, Tanh, ReLU, named<"second", shared<"first">>>>(insert<1>(Twice{}, Tanh{})));
  auto [rest, same] = pop<-1>(Twice(marked<4, 4>(6), ReLU{}, shared<"first">{}));
  CHECK(is_a<Sequential<named<"first", L>, ReLU>>(rest));
  CHECK(mark(same) == 6);
  CHECK(mark(rest[0_c]) == 6);
}
