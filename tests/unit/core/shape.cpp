#include <catch2/catch_test_macros.hpp>
#include <lamina/core/shape.hpp>
#include <lamina/core/size.hpp>

using namespace lamina;

TEST_CASE("extents multiply, and dyn stays dyn") {
  static_assert(count(Dims{2, 3, 4}) == 24 && count(Dims{}) == 1 && count(Dims{2, dyn}) == dyn &&
                count(Dims{5, 0}) == 0);
  static_assert(product(Dims{2, dyn, 4}, 2, 3) == 4 && product(Dims{2, 3, 4}, 1, 1) == 1);
  static_assert(is_static(Dims{1, 2}) && !is_static(Dims{1, dyn}));
}

TEST_CASE("dyn is compatible with every extent, ranks are compared") {
  static_assert(compatible(Dims{dyn, 3}, Dims{7, 3}) && compatible(Dims{7, 3}, Dims{dyn, 3}));
  static_assert(!compatible(Dims{7, 3}, Dims{7, 4}) && !compatible(Dims{7}, Dims{7, 1}));
}

TEST_CASE("shapes and extents name each other") {
  static_assert(std::is_same_v<shape_of<Dims{1, dyn, 3}>, Shape<1, dyn, 3>> &&
                std::is_same_v<shape_of<Dims{}>, Shape<>>);
  static_assert(Shape<4, 5>::dims == Dims{4, 5} && shape<Shape<1>> && !shape<int>);
  static_assert(wrap_dim(-1, 4) == 3 && wrap_dim(2, 4) == 2);
}

TEST_CASE("options remember how they were written") {
  static_assert(Size2(3) == Size2{3} && Size2(3) != Size2(3, 3) && Size2(2, 1).pair);
  static_assert(!OptionalNumber(none).given && OptionalNumber(0.1).value == 0.1 && OptionalNumber(3).given);
  static_assert(Padding("same").kind == Padding::Kind::same && Padding("valid").kind == Padding::Kind::valid &&
                Padding(2).size.width == 2);
  static_assert(!Scale2().given() && Scale2(2).given());
}
