#include <catch2/catch_test_macros.hpp>
#include <lamina/tensor/eigen.hpp>
#include <lamina/tensor/parameter.hpp>
#include <numeric>

using namespace lamina;

TEST_CASE("a tensor is zero, aligned and row-major") {
  Tensor<float, Shape<2, 3>> x;
  CHECK(x.size() == 6);
  for (float value : x.span()) CHECK(value == 0);
  CHECK(reinterpret_cast<std::uintptr_t>(x.data()) % 64 == 0);
  std::iota(x.span().begin(), x.span().end(), 0.0f);
  CHECK(x(1, 0) == 3);
  x(1, 2) = 50;
  CHECK(x.data()[5] == 50);
  CHECK(std::as_const(x).view()(1, 2) == 50);
}

TEST_CASE("copies of a tensor share its elements, a clone does not") {
  Tensor<float, Shape<3>> x;
  Tensor<float, Shape<3>> shared = x, own = x.clone();
  x(0) = 1;
  CHECK(shared(0) == 1);
  CHECK(own(0) == 0);
  const Tensor<float, Shape<dyn>> other = x;  // another shape type, the same elements
  CHECK(other.data() == std::as_const(x).data());
}

TEST_CASE("extents given at run time are checked against the type") {
  Tensor<float, Shape<dyn, 4>> x({5, 4});
  CHECK(x.dims() == Dims{5, 4});
  CHECK_THROWS_AS((Tensor<float, Shape<dyn, 4>>({5, 3})), shape_error);
  CHECK_THROWS_AS((Tensor<float, Shape<dyn, 4>>({5})), shape_error);
  CHECK_THROWS_AS((Tensor<float, Shape<dyn, 4>>({dyn, 4})), shape_error);
  CHECK_THROWS_AS((Tensor<float, Shape<2, 4>>(x)), shape_error);
  const Tensor<float, Shape<5, 4>> known(x);
  CHECK(known.data() == std::as_const(x).data());
  CHECK((Tensor<float, Shape<dyn>>().size() == 0));
}

TEST_CASE("a view of foreign memory can be copied into a tensor") {
  float numbers[] = {1, 2, 3, 4};
  const TensorView<float, Shape<2, 2>> view(numbers);
  Tensor<float, Shape<2, 2>> x(view);
  numbers[3] = 9;
  CHECK(view(1, 1) == 9);
  CHECK(x(1, 1) == 4);
}

TEST_CASE("Eigen sees a tensor's last dimension as columns") {
  Tensor<float, Shape<2, 3, 4>> x;
  std::iota(x.span().begin(), x.span().end(), 0.0f);
  auto matrix = as_matrix(x);
  CHECK(matrix.rows() == 6);
  CHECK(matrix(5, 1) == 21);
  matrix(0, 0) = 7;
  CHECK(x(0, 0, 0) == 7);
}

TEST_CASE("a parameter has no memory before its first write") {
  Parameter<Shape<2, 3>> p;
  CHECK(!p.has_values());
  CHECK(std::as_const(p).data() == nullptr);
  CHECK(std::as_const(p).span().empty());
  CHECK(p.version() == 0);
  p.data()[0] = 1;
  CHECK(p.has_values());
  CHECK(std::as_const(p).span().size() == 6);
  static_assert(Parameter<Shape<2, 3>>::size == 6 && Parameter<Shape<>>::size == 1);
}

TEST_CASE("every write changes the version of a parameter, reading does not") {
  Parameter<Shape<2>> p;
  p.data()[0] = 1;
  const auto before = p.version();
  CHECK(std::as_const(p).data()[0] == 1);
  CHECK(p.version() == before);
  p.span()[1] = 2;
  CHECK(p.version() > before);
}

TEST_CASE("copies of a parameter are deep, moves take the memory along") {
  Parameter<Shape<2>> p;
  p.data()[0] = 1;
  Parameter<Shape<2>> copy = p;
  p.data()[0] = 5;
  CHECK(std::as_const(copy).data()[0] == 1);
  copy = p;
  auto& same = copy;
  copy = same;
  CHECK(std::as_const(copy).data()[0] == 5);
  const float* elements = std::as_const(p).data();
  Parameter<Shape<2>> moved = std::move(p);
  CHECK(std::as_const(moved).data() == elements);
  Parameter<Shape<2>> empty;
  copy = empty;
  CHECK(!copy.has_values());
}

TEST_CASE("new values have a version that no other values had") {
  Parameter<Shape<2>> p, q;
  p.data()[0] = 1;
  q.data()[0] = 2;
  const auto first = p.version();
  p = q;  // its memory may lie where the first values were
  CHECK(p.version() != first);
  CHECK(p.version() != q.version());
}

TEST_CASE("the memory of a parameter can be exchanged") {
  Storage storage(2 * sizeof(float));
  Parameter<Shape<2>> p;
  p.storage() = storage;
  CHECK(static_cast<const void*>(std::as_const(p).data()) == storage.data());
  CHECK(!storage.unique());
  CHECK(storage.bytes() == 8);
}
