// What PyTorch's tests demand of slices, and of deleting them.
#include "marked.hpp"
#include <catch2/catch_test_macros.hpp>
#include <lamina/compose/edit.hpp>
#include <lamina/compose/module_dict.hpp>
#include <lamina/compose/module_list.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/compose/slice.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/reflect/keys.hpp>

using namespace lamina;

TEST_CASE("slices follow Python's bounds") {
  const auto list = [] { return ModuleList<A, B, C>(marked<4, 8>(1), marked<8, 2>(2), marked<2, 1>(3)); };
  CHECK(is_a<ModuleList<B, C>>(slice<1>(list())));
  CHECK(is_a<ModuleList<A, B>>(slice<0, -1>(list())));
  CHECK(is_a<ModuleList<B>>(slice<-2, -1>(list())));
  CHECK(is_a<ModuleList<>>(slice<2, 1>(list())));
  CHECK(is_a<ModuleList<A, C>>(slice<0, 3, 2>(list())));
  CHECK(is_a<ModuleList<B>>(slice<1, 3, 2>(list())));
  CHECK(mark(slice<2>(list())[0_c]) == 3);
  // nn.Sequential(A, B, C)[1:] has the keys "1" and "2".
  using Rest = decltype(slice<1>(Sequential<A, B, C>{}));
  static_assert(std::is_same_v<Rest, Sequential<named<"1", B>, named<"2", C>>> &&
                state_dict_keys<Rest>[0] == "1.weight");
  CHECK(is_a<Sequential<named<"fc", B>>>(slice<1, 2>(Sequential<A, named<"fc", B>, C>{})));
}

TEST_CASE("steps may lead backwards") {
  const auto list = [] { return ModuleList<A, B, C>(marked<4, 8>(1), marked<8, 2>(2), marked<2, 1>(3)); };
  CHECK(is_a<ModuleList<C, B, A>>(slice<-1, to_the_end, -1>(list())));
  CHECK(is_a<ModuleList<C, A>>(slice<-1, to_the_end, -2>(list())));
  CHECK(is_a<ModuleList<C, B>>(slice<3, 0, -1>(list())));
  CHECK(is_a<ModuleList<>>(slice<0, 2, -1>(list())));
  CHECK(mark(slice<-1, to_the_end, -1>(list())[0_c]) == 3);
  // A Sequential in the other order keeps its names.
  auto reversed = slice<-1, to_the_end, -1>(Sequential<A, named<"act", ReLU>, B>{});
  CHECK(is_a<Sequential<named<"2", B>, named<"act", ReLU>, named<"0", A>>>(reversed));
  CHECK(decltype(reversed)::keys() == std::array<std::string_view, 3>{"2", "act", "0"});
  // A name that is the position again is none.
  CHECK(is_a<Sequential<A, B>>(slice<0, 2>(Sequential<A, B, C>{})));
}

TEST_CASE("an edit of a slice counts its children anew") {
  CHECK(is_a<Sequential<B, C, ReLU>>(append(slice<1>(Sequential<A, B, C>{}), ReLU{})));
  CHECK(is_a<Sequential<C>>(erase<0>(slice<1>(Sequential<A, B, C>{}))));
}

TEST_CASE("slices are deleted, with steps and backwards") {
  const auto net = [] { return Sequential<A, ReLU, B, Tanh, C>(marked<4, 8>(1), ReLU{}, marked<8, 2>(2), Tanh{}, C{}); };
  CHECK(is_a<Sequential<A, Tanh, C>>(erase<1, 3>(net())));
  CHECK(is_a<Sequential<A, B, C>>(erase<1, 4, 2>(net())));
  CHECK(is_a<Sequential<ReLU, Tanh>>(erase<0, to_the_end, 2>(net())));
  CHECK(is_a<Sequential<ReLU, Tanh>>(erase<-1, to_the_end, -2>(net())));
  CHECK(is_a<Sequential<A, ReLU, B>>(erase<3, to_the_end>(net())));
  CHECK(is_a<Sequential<A, ReLU, B, Tanh, C>>(erase<2, 2>(net())));
  CHECK(is_a<Sequential<>>(erase<0, to_the_end>(net())));
  CHECK(mark(erase<1, 4, 2>(net())[1_c]) == 2);
  CHECK(is_a<ModuleDict<named<"b", B>>>(erase<0, 1>(ModuleDict<named<"a", A>, named<"b", B>>{})));
}
