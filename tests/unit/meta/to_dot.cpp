#include <catch2/catch_test_macros.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/functional.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/meta/to_dot.hpp>

using namespace lamina;

namespace {
struct Block {
  Linear<4, 4> fc;
  ReLU act;
  constexpr auto operator()(auto x) const { return act(fc(x) + x); }
};
struct Net {
  Block block;
  Linear<4, 2> head;
  constexpr auto operator()(auto x) const { return head(block(x)); }
};
bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }
}  // namespace

// Values: 0 the input, 1 fc, 2 the sum, 3 act, 4 head.
TEST_CASE("layers, functions, extents and skips of a small net") {
  const std::string dot = to_dot(Net{}, Shape<3, 4>{});
  CHECK(dot.starts_with("digraph \"Net\" {\n"));
  CHECK(has(dot, "n1 [label=\"fc: Linear\\nin_features=4, out_features=4,\\nbias=True\" fillcolor=lightblue]\n"));
  CHECK(has(dot, "n2 [label=\"add\""));
  CHECK(has(dot, "n0 -> n1 [label=\"3, 4\"]\n"));
  CHECK(has(dot, "n0 -> n2 [label=\"3, 4\" style=dashed"));  // passes fc by
  CHECK(has(dot, "n1 -> n2 [label=\"3, 4\"]\n"));
  CHECK(has(dot, "n4 -> out0 [label=\"3, 2\"]\n"));
  const std::size_t cluster = dot.find("label=\"block: Block\"");
  REQUIRE(cluster != std::string::npos);
  CHECK(dot.find("n2 [", cluster) < dot.find('}', cluster));  // the sum lies between layers of the block
  CHECK(dot.find("n4 [") < cluster);
}

TEST_CASE("modules below the depth are one box") {
  const std::string dot = to_dot<Shape<3, 4>>(Net{}, {.depth = 1});
  CHECK(has(dot, "n3 [label=\"block: Block\" fillcolor=gray95]\n"));
  CHECK(has(dot, "n0 -> n3 [label=\"3, 4\"]\n"));
  CHECK(has(dot, "n3 -> n4 [label=\"3, 4\"]\n"));
  CHECK_FALSE(has(dot, "n1 ["));
  CHECK_FALSE(has(dot, "cluster"));
}

TEST_CASE("names are quoted") {
  const std::string dot = to_dot<Shape<1, 4>>(Sequential<named<"a \"b\"", Linear<4, 4>>>{});
  CHECK(has(dot, "label=\"a \\\"b\\\": Linear"));
}
