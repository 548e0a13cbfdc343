// The rows of docs/containers.md, in its order: what PyTorch's containers do, done with types.
#include "marked.hpp"
#include <catch2/catch_test_macros.hpp>
#include <lamina/compose/access.hpp>
#include <lamina/compose/adapt.hpp>
#include <lamina/compose/edit.hpp>
#include <lamina/compose/iterate.hpp>
#include <lamina/compose/join.hpp>
#include <lamina/compose/module_dict.hpp>
#include <lamina/compose/module_list.hpp>
#include <lamina/compose/replace.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/compose/slice.hpp>
#include <lamina/compose/with_output.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/meta/counts.hpp>
#include <lamina/reflect/keys.hpp>
#include <string>
#include <vector>

using namespace lamina;

namespace {
Sequential<A, ReLU, B> sequence() { return Sequential<A, ReLU, B>(marked<4, 8>(1), ReLU{}, marked<8, 2>(2)); }
ModuleDict<named<"a", A>, named<"b", B>> dictionary() {
  return ModuleDict<named<"a", A>, named<"b", B>>(marked<4, 8>(1), marked<8, 2>(2));
}
template <int Width, class... Replaced> struct Block {
  replaceable<"fc1", Linear<4, Width>, Replaced...> fc1;
  replaceable<"fc2", Linear<Width, 4>, Replaced...> fc2;
  constexpr auto operator()(auto x) const { return fc2(fc1(x)); }
};
using Net = Sequential<named<"body", Sequential<Block<8>, Block<16>>>, named<"head", Linear<4, 2>>>;
using In = Shape<1, 4>;
}  // namespace

TEST_CASE("lists: making, asking, looping") {
  const Sequential made(A{}, ReLU{});
  CHECK(is_a<Sequential<A, ReLU>>(made));
  Sequential<named<"fc", A>, ReLU, B> mixed;
  CHECK(decltype(mixed)::keys() == std::array<std::string_view, 3>{"fc", "1", "2"});
  auto seq = sequence();
  CHECK(seq.size() == 3);
  CHECK(mark(seq[0_c]) == 1);
  CHECK(mark(seq[-1_c]) == 2);
  CHECK(&mixed["fc"_m] == &mixed[0_c]);
  int calls = 0;
  const auto visit = [&](const auto&) { ++calls; };
  for_each(seq, visit);
  CHECK(calls == 3);
  for_each(view<-1, to_the_end, -1>(seq), visit);
  CHECK(calls == 6);
  CHECK(fold(seq, 0, [](int n, const auto&) { return n + 1; }) == 3);
  static_assert(std::is_same_v<output_shape<decltype(seq), In>, Shape<1, 2>>);
}

TEST_CASE("lists: changing") {
  CHECK(is_a<Sequential<A, ReLU, B, Tanh>>(append(sequence(), Tanh{})));
  CHECK(is_a<Sequential<A, ReLU, B, named<"act", Tanh>>>(append<"act">(sequence(), Tanh{})));
  CHECK(is_a<Sequential<A, Tanh, ReLU, B>>(insert<1>(sequence(), Tanh{})));
  CHECK(is_a<Sequential<A, ReLU, Tanh, B>>(insert<-1>(sequence(), Tanh{})));
  CHECK(is_a<Sequential<A, ReLU, B, A, ReLU, B>>(extend(sequence(), sequence())));
  const auto seq = sequence(), other = sequence();
  CHECK(is_a<Sequential<A, ReLU, B, A, ReLU, B>>(seq + other));
  CHECK(is_a<Sequential<A, ReLU, shared<"0">, shared<"1">>>(Sequential<A, ReLU>{} * 2_c));
  CHECK(is_a<Sequential<Tanh, ReLU, B>>(replace<0>(sequence(), Tanh{})));
  CHECK(is_a<Sequential<named<"1", ReLU>, named<"2", B>>>(slice<1>(sequence())));
  CHECK(is_a<Sequential<A, named<"2", B>>>(slice<0, 3, 2>(sequence())));
  CHECK(is_a<Sequential<named<"2", B>, ReLU, named<"0", A>>>(slice<-1, to_the_end, -1>(sequence())));
  CHECK(is_a<Sequential<ReLU, B>>(erase<0>(sequence())));
  CHECK(is_a<Sequential<ReLU>>(erase<0, 3, 2>(sequence())));
  auto [rest, layer] = pop<-1>(sequence());
  CHECK(is_a<Sequential<A, ReLU>>(rest));
  CHECK(mark(layer) == 2);
}

TEST_CASE("dicts") {
  auto dict = dictionary();
  CHECK(mark(dict["b"_m]) == 2);
  static_assert(has_child<decltype(dict), "a">);
  CHECK(contains<"a">(dict));
  CHECK(dict.keys() == std::array<std::string_view, 2>{"a", "b"});
  float sum = 0;
  for_each(dict, [&](const auto& layer) { sum += mark(layer); });
  std::string names;
  for_each_child(dict, [&](std::string_view name, const auto&) { names += name; });
  CHECK(sum == 3);
  CHECK(names == "ab");
  CHECK(is_a<ModuleDict<named<"a", Tanh>, named<"b", B>>>(assign<"a">(dictionary(), Tanh{})));
  CHECK(is_a<ModuleDict<named<"a", A>, named<"b", B>, named<"c", Tanh>>>(assign<"c">(dictionary(), Tanh{})));
  CHECK(is_a<ModuleDict<named<"a", A>>>(erase<"b">(dictionary())));
  auto [rest, layer] = pop<"a">(dictionary());
  CHECK(mark(layer) == 1);
  ModuleDict<named<"c", C>, named<"a", ReLU>> more;
  CHECK(is_a<ModuleDict<named<"a", ReLU>, named<"b", B>, named<"c", C>>>(update(dictionary(), more)));
  CHECK(is_a<ModuleDict<>>(clear(dictionary())));
}

TEST_CASE("models") {
  Net net;
  CHECK(&get<"body.1.fc2">(net) == &net["body"_m][1_c].fc2);
  CHECK(&get<"head.weight">(net) == &net["head"_m].weight);
  auto changed = replace<"body.1.fc2">(std::move(net), Linear<16, 4, false>{});
  static_assert(parameter_count<decltype(changed)> == parameter_count<Net> - 4);
  net = adapt<Net>(std::move(changed));
  auto copy = net;
  copy["head"_m].weight.data()[0] = 7;
  CHECK(std::as_const(net)["head"_m].weight.data() != std::as_const(copy)["head"_m].weight.data());
  using Tied = Sequential<named<"a", Linear<4, 4>>, ReLU, named<"b", shared<"a">>>;
  static_assert(parameter_count<Tied> == 20 && state_dict_keys<Tied>.size() == 4);
  static_assert(
      std::is_same_v<output_shape<decltype(with_output<"body">(Net{})), In>, std::tuple<Shape<1, 2>, Shape<1, 4>>>);
  static_assert(std::is_same_v<output_shape<decltype(only_output<"body.0">(Net{})), In>, Shape<1, 4>>);
}
