// Texts that PyTorch printed.
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <lamina/compose/module_dict.hpp>
#include <lamina/compose/module_list.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/conv2d.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/parallel/data_parallel.hpp>
#include <lamina/reflect/print.hpp>
#include <sstream>

namespace user {
/// A class of a user's namespace, with members that are no children.
struct Net {
  enum class Mode { a, b };
  lamina::Linear<2, 3> fc1;
  lamina::Parameter<lamina::Shape<3>> scale;
  int width = 3;
  Mode mode = Mode::b;
  std::array<float, 3> mean{};
  std::string name = "net";
  lamina::Tensor<float, lamina::Shape<2>> table;
  lamina::Absent no_bias;
  lamina::ReLU act;
};

class Private {
  lamina::Linear<2, 2> hidden;

 public:
  Private() {}
  LAMINA_MEMBERS(hidden)
};

struct OwnText {
  static void extra_repr(auto& out) { out << "width=" << 3; }
};
struct OwnTextAndChild {
  lamina::ReLU act;
  static void extra_repr(auto& out) { out << "width=" << 3; }
};
struct TwoLines {
  int width = 5;
  void extra_repr(auto& out) const { out << "width=" << width << ",\nheight=" << 2; }
};

struct Point {
  int x = 1;
};
std::ostream& operator<<(std::ostream& out, const Point&) { return out << "a point"; }
}  // namespace user

using namespace lamina;

TEST_CASE("members that are modules are children, all others are not") {
  CHECK(to_string(user::Net{}) ==
        "Net(\n  (fc1): Linear(in_features=2, out_features=3, bias=True)\n  (act): ReLU()\n)");
  CHECK(to_string(user::Private{}) == "Private(\n  (hidden): Linear(in_features=2, out_features=2, bias=True)\n)");
}

TEST_CASE("own text is on the first line, or on lines of its own beside children") {
  CHECK(to_string(user::OwnText{}) == "OwnText(width=3)");
  CHECK(to_string(user::OwnTextAndChild{}) == "OwnTextAndChild(\n  width=3\n  (act): ReLU()\n)");
  CHECK(to_string(user::TwoLines{}) == "TwoLines(\n  width=5,\n  height=2\n)");
  CHECK(to_string(Sequential<user::TwoLines>{}) == "Sequential(\n  (0): TwoLines(\n    width=5,\n    height=2\n  )\n)");
}

TEST_CASE("containers without children are one line") {
  CHECK(to_string(Sequential<>{}) == "Sequential()");
  CHECK(to_string(ModuleList<>{}) == "ModuleList()");
  CHECK(to_string(ModuleDict<>{}) == "ModuleDict()");
  CHECK(to_string(Sequential<Sequential<>, Linear<1, 1>>{}) ==
        "Sequential(\n  (0): Sequential()\n  (1): Linear(in_features=1, out_features=1, bias=True)\n)");
}

TEST_CASE("ModuleList shows equal neighbours once") {
  using L = Linear<2, 2>;
  CHECK(to_string(ModuleList<L, L, ReLU, L>{}) ==
        "ModuleList(\n  (0-1): 2 x Linear(in_features=2, out_features=2, bias=True)\n  (2): ReLU()\n"
        "  (3): Linear(in_features=2, out_features=2, bias=True)\n)");
  CHECK(to_string(ModuleList<ModuleList<>, ModuleList<>>{}) == "ModuleList(\n  (0-1): 2 x ModuleList()\n)");
  using Block = Sequential<Conv2d<1, 2, conv{.kernel_size = 3}>, ReLU>;
  CHECK(to_string(ModuleList<Block, Block, Sequential<Conv2d<2, 2, conv{.kernel_size = 3}>, ReLU>>{}) ==
        "ModuleList(\n  (0-1): 2 x Sequential(\n    (0): Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1))\n    (1): "
        "ReLU()\n  )\n"
        "  (2): Sequential(\n    (0): Conv2d(2, 2, kernel_size=(3, 3), stride=(1, 1))\n    (1): ReLU()\n  )\n)");
  CHECK(to_string(ModuleDict<named<"a", Linear<1, 2>>, named<"b", ModuleList<ReLU, ReLU>>>{}) ==
        "ModuleDict(\n  (a): Linear(in_features=1, out_features=2, bias=True)\n  (b): ModuleList(\n    (0-1): 2 x "
        "ReLU()\n  )\n)");
  // Other containers do not merge.
  CHECK(to_string(Sequential<ReLU, ReLU>{}) == "Sequential(\n  (0): ReLU()\n  (1): ReLU()\n)");
}

TEST_CASE("types that print alike are merged too") {
  // The text decides, as in PyTorch: padding=1 and padding=(1, 1) print the same.
  CHECK(to_string(ModuleList<Conv2d<1, 1, conv{.kernel_size = 3, .padding = 1}>,
                             Conv2d<1, 1, conv{.kernel_size = 3, .padding = {1, 1}}>>{}) ==
        "ModuleList(\n  (0-1): 2 x Conv2d(1, 1, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))\n)");
}

TEST_CASE("a data-parallel net prints its inner net under module") {
  CHECK(to_string(DataParallel<Linear<1, 2>>{}) ==
        "DataParallel(\n  (module): Linear(in_features=1, out_features=2, bias=True)\n)");
}

TEST_CASE("named_modules prints pairs with dotted paths") {
  std::ostringstream out;
  print_named_modules(out, Sequential<ReLU, named<"it's", Sequential<ReLU>>>{});
  CHECK(out.str() == "('', Sequential(\n  (0): ReLU()\n  (it's): Sequential(\n    (0): ReLU()\n  )\n))\n('0', ReLU())\n"
                     "(\"it's\", Sequential(\n  (0): ReLU()\n))\n(\"it's.0\", ReLU())\n");
}

template <class T>
concept streams = requires(std::ostream& out, const T& value) {
  out << value;
};

TEST_CASE("<< prints modules and leaves all other types alone") {
  std::ostringstream out;
  out << ReLU{} << user::Point{} << user::OwnText{};
  CHECK(out.str() == "ReLU()a pointOwnText(width=3)");
  static_assert(streams<Sequential<ReLU>> && streams<user::Net> && streams<std::string> && streams<int>);
  static_assert(!streams<std::array<float, 3>> && !streams<Tensor<float, Shape<2>>> && !streams<Parameter<Shape<2>>> &&
                !streams<std::pair<int, int>>);
}
