// List is checked against std::vector, whose part it takes, and counts the objects that live in it.
#include <catch2/catch_test_macros.hpp>
#include <lamina/core/list.hpp>
#include <string>
#include <vector>

namespace {
struct Counted {
  static inline int alive = 0, copies_until_failure = -1;
  std::string text;

  Counted(std::string t = "made") : text(std::move(t)) { ++alive; }
  Counted(const Counted& other) : text(other.text) {
    if (copies_until_failure == 0) throw 1;
    if (copies_until_failure > 0) --copies_until_failure;
    ++alive;
  }
  Counted(Counted&& other) noexcept : text(std::move(other.text)) { ++alive; }
  Counted& operator=(const Counted&) = default;
  ~Counted() { --alive; }
};

std::vector<std::string> texts_of(const lamina::detail::List<Counted>& list) {
  std::vector<std::string> texts;
  for (const Counted& element : list) texts.push_back(element.text);
  return texts;
}
}  // namespace

TEST_CASE("a list holds what a vector holds after the same changes", "[core][list]") {
  lamina::detail::List<Counted> list;
  std::vector<std::string> expected;
  const auto same = [&] { return list.size() == expected.size() && texts_of(list) == expected; };
  REQUIRE(list.empty());
  for (int i = 0; i < 100; ++i) {
    const std::string text = "a text longer than what a string keeps inside, " + std::to_string(i);
    list.push_back(text);
    expected.push_back(text);
    if (i % 3 == 0) list.pop_back(), expected.pop_back();
  }
  REQUIRE(same());
  REQUIRE(list.back().text == expected.back());
  REQUIRE(list[7].text == expected[7]);
  list.push_back(list[0]);  // of the list itself, which may move
  expected.push_back(expected[0]);
  list.resize(80), expected.resize(80, "made");
  REQUIRE(same());
  list.resize(20), expected.resize(20);
  REQUIRE(same());

  lamina::detail::List<Counted> copy = list, taken = std::move(list);
  REQUIRE(texts_of(copy) == expected);
  REQUIRE(texts_of(taken) == expected);
  REQUIRE(list.empty());
  copy = lamina::detail::List<Counted>{{"one"}, {"two"}};
  REQUIRE(texts_of(copy) == std::vector<std::string>{"one", "two"});
  const lamina::detail::List<Counted>& itself = taken;
  taken = itself;
  REQUIRE(texts_of(taken) == expected);
}

TEST_CASE("a list destroys each of its elements once, also when a copy fails", "[core][list]") {
  Counted::alive = 0;
  {
    lamina::detail::List<Counted> list(10);
    REQUIRE(Counted::alive == 10);
    Counted::copies_until_failure = 4;
    REQUIRE_THROWS_AS(lamina::detail::List<Counted>(list), int);
    Counted::copies_until_failure = -1;
    REQUIRE(Counted::alive == 10);
  }
  REQUIRE(Counted::alive == 0);
}

TEST_CASE("a list refuses more elements than memory has addresses", "[core][list]") {
  lamina::detail::List<long> list;
  REQUIRE_THROWS_AS(list.reserve(std::size_t(-1) / 4), std::bad_alloc);
  REQUIRE(list.empty());
}
