// What edits promise: read from PyTorch's own tests of Sequential, ModuleList and ModuleDict.
#include "marked.hpp"
#include <catch2/catch_test_macros.hpp>
#include <lamina/compose/edit.hpp>
#include <lamina/compose/module_dict.hpp>
#include <lamina/compose/module_list.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/dropout.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/reflect/keys.hpp>

using namespace lamina;

TEST_CASE("append moves the weights and returns a longer type") {
  ModuleList<A, ReLU> list(marked<4, 8>(1), ReLU{});
  const float* elements = std::as_const(list)[0_c].weight.data();
  auto longer = append(std::move(list), marked<8, 2>(2));
  CHECK(is_a<ModuleList<A, ReLU, B>>(longer));
  CHECK(std::as_const(longer)[0_c].weight.data() == elements);
  CHECK(mark(longer[-1_c]) == 2);
}

TEST_CASE("a layer that is given as an lvalue is copied") {
  B layer = marked<8, 2>(5);
  auto list = append(ModuleList<A>{}, layer);
  layer.weight.data()[0] = 6;
  CHECK(mark(list[1_c]) == 5);
}

TEST_CASE("append names a child, or counts it") {
  CHECK(is_a<Sequential<A, named<"act", ReLU>>>(append<"act">(Sequential<A>{}, ReLU{})));
  CHECK(is_a<ModuleDict<named<"fc", A>>>(append<"fc">(ModuleDict<>{}, A{})));
  CHECK(is_a<ModuleList<A>>(append(ModuleList<>{}, A{})));
}

TEST_CASE("insert works at the front, in the middle, at the end and from the back") {
  const auto list = [] { return ModuleList<A, B, C>(marked<4, 8>(1), marked<8, 2>(2), marked<2, 1>(3)); };
  CHECK(is_a<ModuleList<ReLU, A, B, C>>(insert<0>(list(), ReLU{})));
  CHECK(is_a<ModuleList<A, ReLU, B, C>>(insert<1>(list(), ReLU{})));
  CHECK(is_a<ModuleList<A, B, C, ReLU>>(insert<3>(list(), ReLU{})));
  CHECK(is_a<ModuleList<A, B, ReLU, C>>(insert<-1>(list(), ReLU{})));
  CHECK(is_a<ModuleList<ReLU, A, B, C>>(insert<-3>(list(), ReLU{})));
  // All children behind move up, in the names too.
  const auto inserted = insert<1>(list(), ReLU{});
  CHECK(mark(inserted[2_c]) == 2);
  CHECK(mark(inserted[3_c]) == 3);
  using Inserted = std::remove_const_t<decltype(inserted)>;
  static_assert(state_dict_keys<Inserted>[2] == "2.weight" && state_dict_keys<Inserted>[4] == "3.weight");
  CHECK(is_a<ModuleDict<named<"a", A>, named<"act", ReLU>, named<"b", B>>>(
      insert<1, "act">(ModuleDict<named<"a", A>, named<"b", B>>{}, ReLU{})));
}

TEST_CASE("erase and pop close the gap") {
  const auto list = [] { return ModuleList<A, ReLU, B>(marked<4, 8>(1), ReLU{}, marked<8, 2>(2)); };
  CHECK(is_a<ModuleList<A, B>>(erase<1>(list())));
  CHECK(is_a<ModuleList<A, ReLU>>(erase<-1>(list())));
  CHECK(is_a<ModuleList<>>(erase<0>(ModuleList<A>{})));
  CHECK(is_a<ModuleDict<named<"b", B>>>(erase<"a">(ModuleDict<named<"a", A>, named<"b", B>>{})));

  auto [rest, last] = pop<-1>(list());
  CHECK(is_a<ModuleList<A, ReLU>>(rest));
  CHECK(mark(rest[0_c]) == 1);
  CHECK(mark(last) == 2);
  auto [others, act] = pop<"act">(ModuleDict<named<"a", A>, named<"act", ReLU>, named<"b", B>>{});
  CHECK(is_a<ModuleDict<named<"a", A>, named<"b", B>>>(others));
  CHECK(is_a<ReLU>(act));
  // As above by name; and of one child nothing is left.
  auto [none, only] = pop<0>(Sequential<A>(marked<4, 8>(7)));
  CHECK(is_a<Sequential<>>(none));
  CHECK(mark(only) == 7);
  // Positions of a Sequential are counted anew; names stay.
  CHECK(is_a<Sequential<named<"act", ReLU>, B>>(erase<0>(Sequential<A, named<"act", ReLU>, B>{})));
}

TEST_CASE("assign takes the place of a name, or the end") {
  const auto dict = [] { return ModuleDict<named<"a", A>, named<"b", B>>{}; };
  CHECK(is_a<ModuleDict<named<"a", ReLU>, named<"b", B>>>(assign<"a">(dict(), ReLU{})));
  CHECK(is_a<ModuleDict<named<"a", A>, named<"b", B>, named<"c", C>>>(assign<"c">(dict(), C{})));
  CHECK(is_a<ModuleDict<>>(clear(dict())));
}

TEST_CASE("update keeps the place of names that are there") {
  ModuleDict<named<"a", A>, named<"b", B>> dict(marked<4, 8>(1), marked<8, 2>(2));
  ModuleDict<named<"c", C>, named<"a", C>> other(marked<2, 1>(3), marked<2, 1>(4));
  auto updated = update(std::move(dict), other);
  CHECK(is_a<ModuleDict<named<"a", C>, named<"b", B>, named<"c", C>>>(updated));
  CHECK(mark(updated["a"_m]) == 4);
  CHECK(mark(updated["b"_m]) == 2);
  CHECK(mark(other["c"_m]) == 3);  // an lvalue stays as it is
}

namespace {
template <class Index> struct Many;
template <std::size_t... I> struct Many<std::index_sequence<I...>> {
  template <std::size_t> using layer = Linear<2, 2>;
  using list = ModuleList<layer<I>...>;
};
}  // namespace

TEST_CASE("lists of hundreds of layers are edited too") {
  Many<std::make_index_sequence<300>>::list list;
  list[299_c].weight.data()[0] = 9;
  auto shorter = erase<0>(std::move(list));
  static_assert(decltype(shorter)::size() == 299);
  CHECK(mark(shorter[298_c]) == 9);
}
