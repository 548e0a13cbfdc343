// What PyTorch's tests demand of extend, `+` and `*`.
#include "marked.hpp"
#include <catch2/catch_test_macros.hpp>
#include <lamina/compose/join.hpp>
#include <lamina/compose/module_dict.hpp>
#include <lamina/compose/module_list.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/compose/slice.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/dropout.hpp>
#include <lamina/reflect/keys.hpp>

using namespace lamina;

TEST_CASE("extend takes the children of both") {
  ModuleList<A> first(marked<4, 8>(1));
  ModuleList<B, C> second(marked<8, 2>(2), marked<2, 1>(3));
  auto copied = extend(ModuleList<A>(marked<4, 8>(0)), second);  // an lvalue stays as it is
  CHECK(mark(second[1_c]) == 3);
  CHECK(mark(copied[2_c]) == 3);
  auto both = extend(std::move(first), std::move(second));
  CHECK(is_a<ModuleList<A, B, C>>(both));
  CHECK(mark(both[0_c]) == 1);
  CHECK(mark(both[2_c]) == 3);
  CHECK(is_a<ModuleList<>>(extend(ModuleList<>{}, ModuleList<>{})));
}

TEST_CASE("extend leaves out names that a ModuleList does not have") {
  CHECK(is_a<ModuleList<A, B, ReLU>>(extend(ModuleList<A>{}, Sequential<named<"fc", B>, ReLU>{})));
  CHECK(is_a<Sequential<named<"a", A>, B, named<"c", C>>>(
      extend(Sequential<named<"a", A>>{}, Sequential<B, named<"c", C>>{})));
  CHECK(
      is_a<ModuleDict<named<"a", A>, named<"b", B>>>(extend(ModuleDict<named<"a", A>>{}, ModuleDict<named<"b", B>>{})));
}

TEST_CASE("a sum of containers leaves both as they are, unless they are given away") {
  Sequential<A, ReLU> first(marked<4, 8>(1), ReLU{});
  const Sequential<B> second(marked<8, 2>(2));
  auto both = first + second;
  CHECK(is_a<Sequential<A, ReLU, B>>(both));
  CHECK(mark(first[0_c]) == 1);
  CHECK(mark(both[0_c]) == 1);
  CHECK(mark(both[2_c]) == 2);
  const float* elements = std::as_const(first)[0_c].weight.data();
  auto moved = std::move(first) + second;
  CHECK(std::as_const(moved)[0_c].weight.data() == elements);
  CHECK(is_a<ModuleList<A, B, C>>(ModuleList<A>{} + ModuleList<B>{} + ModuleList<C>{}));
}

TEST_CASE("slices that are joined are counted anew") {
  auto rest = [] { return slice<1>(Sequential<A, B, C>{}); };
  auto twice = rest() + rest();
  CHECK(is_a<Sequential<B, C, B, C>>(twice));
  static_assert(state_dict_keys<decltype(twice)>[6] == "3.weight");
}

TEST_CASE("a product calls the same modules again") {
  auto deep = Sequential<Linear<4, 4>, ReLU>(marked<4, 4>(3), ReLU{}) * 3_c;
  using Deep = decltype(deep);
  CHECK(is_a<Sequential<Linear<4, 4>, ReLU, shared<"0">, shared<"1">, shared<"0">, shared<"1">>>(deep));
  CHECK(&deep[4_c] == &deep[0_c]);
  CHECK(mark(deep[2_c]) == 3);
  static_assert(parameter_count<Deep> == 20 && state_dict_keys<Deep>.size() == 6);
  CHECK(is_a<Sequential<named<"fc", A>, ReLU, shared<"fc">, shared<"1">>>(Sequential<named<"fc", A>, ReLU>{} * 2_c));
  CHECK(is_a<Sequential<A>>(Sequential<A>{} * 1_c));
  // What is shared already stands for its module.
  CHECK(is_a<Sequential<A, shared<"0">, shared<"0">, shared<"0">>>(Sequential<A, shared<"0">>{} * 2_c));
}
