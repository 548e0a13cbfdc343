#include <catch2/catch_test_macros.hpp>
#include <lamina/core/members.hpp>
#include <lamina/core/text.hpp>

using namespace lamina;

namespace somewhere {
struct Plain {};
template <int N, class T> struct Wide {
  struct Inner {};
};
}  // namespace somewhere

TEST_CASE("texts hold numbers, extents and what fits") {
  CHECK((Text{} << "index " << -12 << ' ' << idx(1234567890123)).view() == "index -12 1234567890123");
  CHECK((Text{} << Dims{1, dyn, 0}).view() == "[1, dyn, 0]");
  CHECK((Text{} << Dims{}).view() == "[]");
  Text full;
  for (int i = 0; i < 2 * Text::capacity; ++i) full << 'x';
  CHECK(full.size == Text::capacity);
}

TEST_CASE("class names leave namespaces and arguments out") {
  CHECK(class_name<somewhere::Plain>() == "Plain");
  CHECK(class_name<somewhere::Wide<3, somewhere::Plain>>() == "Wide");
  CHECK(class_name<somewhere::Wide<3, somewhere::Plain>::Inner>() == "Inner");
  struct Local {};
  CHECK(class_name<Local>() == "Local");
  CHECK(type_label<somewhere::Wide<3, somewhere::Plain>>().view() == "Wide<3, ...>");
  CHECK(type_label<somewhere::Plain>().view() == "Plain");
}

TEST_CASE("sentences break at spaces into pieces that no compiler shortens") {
  constexpr Text text = Text{} << "one two three four five six seven eight nine ten eleven twelve";
  int begin = 0;
  for (int pieces = detail::piece_count(text); pieces > 0; --pieces) {
    const int end = detail::piece_end(text, begin);
    CHECK(end - begin <= 36);
    if (end < text.size) CHECK(text.chars[end - 1] == ' ');
    begin = end;
  }
  CHECK(begin == text.size);
}

TEST_CASE("a list of member names splits at commas") {
  CHECK(detail::split_name("conv1, bn1,fc", 0) == "conv1");
  CHECK(detail::split_name("conv1, bn1,fc", 1) == "bn1");
  CHECK(detail::split_name("conv1, bn1,fc", 2) == "fc");
}
