/// Kernels that move elements: copies under other extents, concatenation, padding; and what run.hpp says of all
/// kernels.
#include "operands.hpp"
#include <catch2/matchers/catch_matchers.hpp>
#include <cmath>

using namespace backend_test;

TEST_CASE("a copy keeps the order of elements under other extents", "[cpu]") {
  for (const idx from : {0, 5})
    for (const idx to : {0, 3}) {
      const Operand x = Operand::random({4, 6, 5}, 1, from);
      for (const Dims& dims : {Dims{4, 6, 5}, Dims{4, 30}, Dims{24, 5}, Dims{1, 4, 6, 5}, Dims{3, 10, 4}}) {
        Operand y(dims, to);
        Run({x.in()}).into(ops::Copy{}, y);
        CHECK(error_of(y, values_of(x)) == 0);
      }
    }
  const Operand nothing(Dims{0, 4});
  Operand y(Dims{0, 2, 2});
  Run({nothing.in()}).into(ops::Copy{}, y);
}

TEST_CASE("cat along every dimension, of operands that lie apart", "[cpu]") {
  for (int axis = 0; axis < 4; ++axis)
    for (const idx gap : {0, 4}) {
      std::vector<Operand> parts;
      for (const idx n : {2, 0, 5, 1}) {
        Dims d{3, 4, 2, 3};
        d[axis] = n;
        parts.push_back(Operand::random(d, unsigned(100 + n), gap * (n + 1)));
      }
      Dims dims{3, 4, 2, 3};
      dims[axis] = 8;
      Operand y(dims, gap);
      Run({parts[0].in(), parts[1].in(), parts[2].in(), parts[3].in()}).into(ops::Cat{axis - (axis % 2 ? 4 : 0)}, y);
      // Splitting gives the parts back.
      const idx inner = product(dims, axis + 1, 4);
      idx offset = 0;
      for (const Operand& part : parts) {
        const idx run = part.dims[axis] * inner;
        bool equal = true;
        for (idx i = 0; i < part.size(); ++i) equal = equal && part[i] == y[i / run * 8 * inner + offset + i % run];
        CHECK(equal);
        offset += run;
      }
    }
}

TEST_CASE("pad adds before and after, negative amounts cut", "[cpu]") {
  const Operand x = Operand::of({2, 3}, {1, 2, 3, 4, 5, 6});
  Operand y(Dims{3, 4});
  Run({x.in()}).into(ops::Pad{.pairs = 2, .amounts = {-1, 2, 1, 0}, .value = 9}, y);
  CHECK(y.memory == std::vector<float>{9, 9, 9, 9, 2, 3, 9, 9, 5, 6, 9, 9});
  Operand cut(Dims{1, 1});
  Run({x.in()}).into(ops::Pad{.pairs = 2, .amounts = {-1, -1, -1, 0}}, cut);
  CHECK(cut.memory == std::vector<float>{5});
  Operand beyond(Dims{2, 2});  // everything is cut on the left, and more
  Run({x.in()}).into(ops::Pad{.pairs = 1, .amounts = {-5, 4}, .value = 7}, beyond);
  CHECK(beyond.memory == std::vector<float>{7, 7, 7, 7});
  Run({x.in()}).into(ops::Pad{.pairs = 1, .amounts = {5, -6}, .value = 7}, beyond);  // and on the right
  CHECK(beyond.memory == std::vector<float>{7, 7, 7, 7});
  const Operand scalar = Operand::of({}, {3});
  Operand same(Dims{});
  Run({scalar.in()}).into(ops::Pad{}, same);
  CHECK(same[0] == 3);
}

TEST_CASE("pad and its opposite cancel, in every dimension and with gaps", "[cpu]") {
  for (const Dims& dims : {Dims{5}, Dims{3, 4}, Dims{2, 3, 4, 5}})
    for (int pairs = 1; pairs <= dims.rank; ++pairs) {
      ops::Pad grow{.pairs = pairs, .value = 8}, shrink{.pairs = pairs};
      for (int i = 0; i < 2 * pairs; ++i) grow.amounts[i] = 1 + i % 3, shrink.amounts[i] = -grow.amounts[i];
      const Operand x = Operand::random(dims, 4, 3);
      Operand larger(grow.shape(dims), 5), back(dims, 2);
      Run({x.in()}).into(grow, larger);
      Run({larger.in()}).into(shrink, back);
      CHECK(error_of(back, values_of(x)) == 0);
      double sum = 0, all = 0;
      for (double v : values_of(x)) sum += v;
      for (double v : values_of(larger)) all += v;
      CHECK(std::fabs(all - sum - 8. * double(larger.size() - x.size())) < 1e-4);
    }
}

TEST_CASE("pad_to centres as Python's // does", "[cpu]") {
  const Operand x = Operand::of({1, 1, 1, 3}, {1, 2, 3});
  for (const auto& [width, expected] :
       {std::pair<idx, std::vector<float>>{6, {0, 1, 2, 3, 0, 0}}, {3, {1, 2, 3}}, {2, {2, 3}}, {1, {2}}}) {
    const Operand like(Dims{1, 9, 1, width});
    Operand y(Dims{1, 1, 1, width});
    Run({x.in(), like.in()}).into(ops::PadTo{}, y);  // (2 - 3) // 2 is -1: one element is cut on the left
    CHECK(y.memory == expected);
  }
}

TEST_CASE("an operation whose kernel was not compiled throws its name", "[cpu]") {
  const Operand x = Operand::random({1, 2}, 1);
  Operand y(x.dims);
  Run run({x.in()});
  run.call.in = run.inputs.data(), run.call.inputs = 1, run.call.out = y.out();
  CHECK_THROWS_AS(host::run<host::bit_of<ops::Conv2d>>(Operation(ops::Softmax{}), run.call), error);
  run.call.method = host::Method::winograd4;
  constexpr std::uint64_t direct = host::bit_of<ops::Conv2d> | host::bit_of_method(host::Method::direct);
  CHECK_THROWS_WITH(host::run<direct>(Operation(ops::Conv2d{}), run.call),
                    "lamina::cpu: no kernel was compiled for conv2d, winograd F(4x4)");
}

TEST_CASE("what the planner may ask of kernels", "[cpu]") {
  using host::Backend;
  STATIC_CHECK(Backend::honours_item_stride(ops::Conv2d{}));
  STATIC_CHECK(Backend::honours_item_stride(ops::Cat{}));
  STATIC_CHECK_FALSE(Backend::honours_item_stride(ops::Softmax{}));
  STATIC_CHECK(Backend::works_in_place(ops::Activation{}));
  STATIC_CHECK_FALSE(Backend::works_in_place(ops::Conv2d{}));
  STATIC_CHECK(Backend::scratch_of(Operation(ops::MaxPool2d{}), {1, 1, 9, 9}, {}, host::Method::plain).each == 0);
  // Scratch does not grow with the image.
  constexpr Operation conv(ops::Conv2d{64, 64, 1, {{3, 1, 1, 1, 1}, {3, 1, 1, 1, 1}}});
  constexpr Dims small{1, 64, 56, 56}, large{8, 64, 2000, 3000};
  for (const host::Method method : {host::Method::direct, host::Method::winograd2, host::Method::winograd4})
    CHECK(Backend::scratch_of(conv, small, {}, method).each == Backend::scratch_of(conv, large, {}, method).each);
}

TEST_CASE("a copy changes the layout and back", "[cpu]") {
  for (const Dims& dims : {Dims{2, 16, 3, 5}, Dims{3, 37, 9, 8}, Dims{1, 3, 1, 1}}) {
    const Operand x = Operand::random(dims, 1, 3);
    Operand y(dims, 2);
    std::vector<float> blocked(std::size_t(elements(dims, Layout::blocked)), not_a_number);
    const host::Output to{
        {blocked.data(), dims, item_elements(dims, Layout::blocked), Dtype::float32, Layout::blocked}};
    const host::Input from{{to.data, dims, to.item_stride, to.dtype, to.layout}}, planar = x.in();
    host::Call there{.out = to, .in = &planar, .inputs = 1}, back{.out = y.out(), .in = &from, .inputs = 1};
    run(ops::Copy{}, there);
    CHECK(blocked[0] == x[0]);
    if (dims[1] > 1) CHECK(blocked[1] == x.at(0, 1, 0, 0));
    run(ops::Copy{}, back);
    CHECK(values_of(y) == values_of(x));
    CHECK(y.gaps_untouched());
  }
}
