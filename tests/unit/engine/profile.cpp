/// The profile of a compiled model: steps, the table, the picture. What it measures depends on the machine and is not
/// tested.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <lamina.hpp>
#include <lamina/engine/profile.hpp>
#include <sstream>

using namespace lamina;

namespace {
constexpr conv three_by_three{.kernel_size = 3, .padding = 1, .bias = false};

/// A residual block of 32 channels; then half the size, and another branch, joined.
struct Net {
  Conv2d<3, 32, conv{.kernel_size = 3, .stride = 2, .padding = 1}> stem;
  BatchNorm2d<32> bn;
  ReLU relu;
  struct Block {
    Conv2d<32, 32, three_by_three> conv1;
    Conv2d<32, 32, three_by_three> conv2;
    constexpr auto operator()(auto x) const { return lamina::relu(conv2(conv1(x)) + x); }
  };
  ModuleList<Block> blocks;
  MaxPool2d<max_pool{.kernel_size = 2}> pool;
  Sequential<named<"each", Conv2d<32, 32, conv{.kernel_size = 3, .padding = 1, .groups = 32, .bias = false}>>, GELU<>>
      left;
  Conv2d<32, 16> right;
  Linear<48 * 8 * 8, 5> head;

  constexpr auto operator()(auto x) const {
    auto y = pool(blocks[0_c](relu(bn(stem(x)))));
    auto l = left(y);
    auto r = right(y);
    return head(flatten(cat<1>(l, r)));
  }
};
struct Scaled {
  Parameter<Shape<16>> factor;
  Linear<16, 4> fc;
  constexpr auto operator()(auto x) const { return fc(x * factor); }
};
struct Two {
  Linear<4, 3> a, b;
  constexpr auto operator()(auto x, auto y) const { return std::tuple(a(x), b(y)); }
};

using Image = Shape<1, 3, 32, 32>;
using AnyImage = Shape<dyn, 3, dyn, dyn>;

template <class N> N make_net() {
  N net;
  for_each_stored(net, [](const Path&, auto& parameter) {
    for (auto& value : parameter.span()) value = 1;
  });
  return net;
}

std::string paths_and_names(const Profile& profile) {
  std::string text;
  for (const StepProfile& step : profile.steps) {
    text += step.path + ": " + step.name;
    if (!step.fused.empty()) text += ", " + step.fused;
    text += '\n';
  }
  return text;
}
const char* const expected_steps = "stem: conv2d 3x3 /2, batch norm, relu\n"
                                   "blocks.0.conv1: conv2d 3x3\n"
                                   "blocks.0.conv2: conv2d 3x3, sum, relu\n"
                                   "pool: max_pool2d 2x2 /2\n"
                                   "left.each: conv2d 3x3, gelu\n"
                                   "right: conv2d 1x1\n"
                                   ": copy\n"
                                   "head: linear\n";

std::string table(const Profile& profile) {
  std::ostringstream out;
  out << profile;
  return out.str();
}
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}
bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }
int occurrences(std::string_view text, std::string_view part) {
  int n = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++n;
  return n;
}

/// What is wrong with a document as XML without comments and declarations; empty if nothing is.
std::string fault_of_xml(std::string_view text) {
  std::vector<std::string_view> open;
  bool any = false;
  while (!text.empty()) {
    if (text[0] != '<') {
      const std::string_view words = text.substr(0, text.find('<'));
      text.remove_prefix(words.size());
      if (open.empty() && words.find_first_not_of(" \n") != words.npos) return "text outside of the root";
      for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == '>') return "a bare > in text";
        if (static_cast<unsigned char>(words[i]) < ' ' && words[i] != '\n') return "a control character";
        if (words[i] != '&') continue;
        const std::string_view name = words.substr(i + 1, words.find(';', i) - i - 1);
        if (name != "amp" && name != "lt" && name != "gt" && name != "quot" && name != "apos") return "a bare &";
      }
      continue;
    }
    std::size_t end = 1;
    for (bool quoted = false; end < text.size() && (quoted || text[end] != '>'); ++end) {
      if (text[end] == '"') quoted = !quoted;
      if (text[end] == '<') return "a < in a tag";
    }
    if (end == text.size()) return "a tag without end";
    std::string_view tag = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    if (tag.starts_with('/')) {
      if (open.empty() || open.back() != tag.substr(1)) return "</" + std::string(tag) + " closes nothing";
      open.pop_back();
      continue;
    }
    if (open.empty() && std::exchange(any, true)) return "two roots";
    const bool empty = tag.ends_with('/');
    if (empty) tag.remove_suffix(1);
    const std::string_view name = tag.substr(0, tag.find(' '));
    if (occurrences(tag, "\"") != 2 * occurrences(tag, "=\"")) return "a bad attribute in " + std::string(tag);
    std::vector<std::string_view> names;
    for (std::string_view rest = tag.substr(name.size()); !rest.empty();) {
      rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
      if (rest.empty()) break;
      const std::size_t equals = rest.find("=\""), close = rest.find('"', equals + 2);
      if (equals == rest.npos || close == rest.npos) return "a bad attribute in " + std::string(tag);
      names.push_back(rest.substr(0, equals));
      if (std::count(names.begin(), names.end(), names.back()) > 1) return "an attribute twice in " + std::string(tag);
      rest.remove_prefix(close + 1);
    }
    if (!empty) open.push_back(name);
  }
  if (!open.empty()) return '<' + std::string(open.back()) + "> stays open";
  return any ? "" : "no root";
}
}  // namespace

TEST_CASE("the checker of XML finds faults", "[engine]") {
  CHECK(fault_of_xml("<a><b c=\"d\" e=\"&lt;f>\"/>g &amp; h</a>\n") == "");
  for (const char* text : {"", "a", "<a>", "<a></b>", "</a>", "<a/><b/>", "<a>&</a>", "<a>></a>", "<a b=\"<\"/>",
                           "<a b=\"c\" b=\"d\"/>", "<a b/>", "<a", "<a>\x01</a>"}) {
    INFO(text);
    CHECK(fault_of_xml(text) != "");
  }
}

TEST_CASE("a profile has the steps of the plan in order", "[engine]") {
  const auto engine = compile<Image>(make_net<Net>());
  Tensor<float, Image> x;
  x.fill(0.5f);
  const Profile result = profile(engine, {.calls = 2}, x);
  CHECK(paths_and_names(result) == expected_steps);
  CHECK(result.model == "Net");
  CHECK(result.calls == 2);
  CHECK(result.threads == num_threads());
  CHECK(result.macs() == macs<Net, Image>);
  CHECK(result.peak_gflops > 0);
  CHECK(result.best_ms > 0);
  CHECK(result.best_ms <= result.median_ms);
  REQUIRE(result.steps.size() == engine.plan().steps.size());
  double sum = 0;
  for (std::size_t i = 0; i < result.steps.size(); ++i) {
    const StepProfile& step = result.steps[i];
    const planning::Step& planned = engine.plan().steps[i];
    CHECK(step.index == int(i));
    CHECK(step.operation == planned.operation);
    CHECK(step.output == planned.out.dims);
    CHECK(step.best_ms <= step.median_ms);
    CHECK((step.gflops > 0) == (step.macs > 0 && step.best_ms > 0));
    CHECK((step.peak_percent > 0) == (step.gflops > 0));
    sum += step.best_ms;
  }
  CHECK(sum <= result.best_ms * 1.000001);
}

TEST_CASE("a step has what its kernel reads, writes and computes", "[engine]") {
  Tensor<float, Image> x;
  x.fill(0.5f);
  const Profile result =
      profile(compile<CompileOptions{.accuracy = Accuracy::exact}, Image>(make_net<Net>()), {.calls = 1}, x);
  REQUIRE(result.steps.size() == 8);
  const StepProfile &stem = result.steps[0], &second = result.steps[2], &pool = result.steps[3];
  CHECK(stem.method == "gathered");
  CHECK(stem.inputs == std::vector{Dims{1, 3, 32, 32}});
  CHECK(stem.output == Dims{1, 32, 16, 16});
  CHECK(stem.macs == 32 * 16 * 16 * 27);
  CHECK(stem.products == stem.macs);
  CHECK(stem.bytes_read == 4 * (3 * 32 * 32 + 27 * 32 + 32));  // the input, weights and biases
  CHECK(stem.bytes_written == 4 * 32 * 16 * 16);
  CHECK(second.method == "direct");
  CHECK(second.inputs == std::vector{Dims{1, 32, 16, 16}});
  CHECK(second.bytes_read == 4 * (2 * 32 * 16 * 16 + 9 * 32 * 32 + 32));  // with what is added
  CHECK(pool.method == "");
  CHECK(pool.macs == 0);
  CHECK(pool.bytes_read == 4 * pool.inputs[0][1] * 16 * 16);
  CHECK(pool.bytes_written == 4 * 32 * 8 * 8);
  CHECK(result.steps[4].method == "depthwise");
  CHECK(result.steps[4].macs == 9 * 32 * 8 * 8);
  CHECK(result.steps[6].method == "to planar");
}

TEST_CASE("transposed convolutions are counted twice: as torchinfo does, and what they compute", "[engine]") {
  using Up = Sequential<ConvTranspose2d<8, 4, conv_transpose{.kernel_size = 2, .stride = 2}>>;
  const Profile result =
      profile(compile<Shape<1, 8, 5, 7>>(make_net<Up>()), {.calls = 1}, Tensor<float, Shape<1, 8, 5, 7>>{});
  REQUIRE(result.steps.size() >= 1);
  idx products = 0;
  for (const StepProfile& step : result.steps) products += step.products;
  CHECK(result.macs() == macs<Up, Shape<1, 8, 5, 7>>);
  CHECK(products == 5 * 7 * 8 * 4 * 4);  // every pixel, input channel, output channel, tap
}

TEST_CASE("methods have names", "[engine]") {
  STATIC_CHECK(host::method_name(host::Method::plain) == "plain");
  STATIC_CHECK(host::method_name(host::Method::depthwise) == "depthwise");
  STATIC_CHECK(host::method_name(host::Method::winograd4) == "winograd F(4x4)");
}

TEST_CASE("an engine for any size has the profile of the size it is called with", "[engine]") {
  const auto net = make_net<Net>();
  const auto engine = compile<AnyImage>(net);
  Tensor<float, Image> x;
  x.fill(0.5f);
  const auto before = engine(x);
  const Profile result = profile(engine, {.calls = 1}, x);
  CHECK(result.macs() == macs<Net, Image>);
  CHECK(result.steps.size() == engine.plan({Image::dims}).steps.size());
  // the order of the two branches is open
  for (const std::string& line : lines_of(expected_steps)) CHECK(contains(paths_and_names(result), line + '\n'));
  const auto after = engine(x);
  CHECK(std::equal(before.span().begin(), before.span().end(), after.span().begin()));
}

TEST_CASE("parameters that are operands are steps without a kernel, and left out", "[engine]") {
  const auto engine = compile<Shape<2, 16>>(make_net<Scaled>());
  REQUIRE(engine.plan().steps.size() == 3);
  const Profile result = profile(engine, {.calls = 1}, Tensor<float, Shape<2, 16>>{});
  CHECK(paths_and_names(result) == ": mul\nfc: linear\n");
  CHECK(result.steps[0].index == 1);
  CHECK(result.steps[0].inputs == std::vector{Dims{2, 16}, Dims{16}});
}

TEST_CASE("several inputs and results are profiled too", "[engine]") {
  Tensor<float, Shape<1, 4>> x;
  Tensor<float, Shape<5, 4>> y;
  x.fill(1), y.fill(2);
  const Profile result = profile(compile<Shape<1, 4>, Shape<5, 4>>(make_net<Two>()), x, y);
  CHECK(paths_and_names(result) == "a: linear\nb: linear\n");
  CHECK(result.macs() == 12 + 5 * 12);
  CHECK(result.calls == ProfileOptions{}.calls);
}

TEST_CASE("a profile has at least one call", "[engine]") {
  const auto engine = compile<Shape<1, 16>>(make_net<Sequential<Linear<16, 4>>>());
  for (const int calls : {0, -1})
    CHECK_THROWS_AS(profile(engine, {.calls = calls}, Tensor<float, Shape<1, 16>>{}), parameter_error);
}

TEST_CASE("the table has a line a step and one of whole calls at the end", "[engine]") {
  Tensor<float, Image> x;
  x.fill(0.5f);
  const Profile result = profile(compile<Image>(make_net<Net>()), {.calls = 1}, x);
  const std::vector<std::string> lines = lines_of(table(result));
  REQUIRE(lines.size() == 6 + result.steps.size());  // two sentences, the columns, two rules, the total
  CHECK(lines[0].starts_with("Net: 1 call on "));
  for (const char* column : {"Layer", "Operation", "Method", "Best ms", "Median ms", "GFLOP/s", "% of peak"})
    CHECK(contains(lines[3], column));
  for (std::size_t i = 0; i < result.steps.size(); ++i) {
    CHECK(contains(lines[4 + i], result.steps[i].path));
    CHECK(contains(lines[4 + i], result.steps[i].name));
    CHECK(contains(lines[4 + i], result.steps[i].method));
    CHECK(lines[4 + i].size() <= lines[2].size());
  }
  CHECK(lines.back().starts_with("Total"));
}

TEST_CASE("the picture is well-formed and has a bar a step", "[engine]") {
  Tensor<float, Image> x;
  x.fill(0.5f);
  const Profile result = profile(compile<Image>(make_net<Net>()), {.calls = 1}, x);
  const std::string svg = to_svg(result);
  CHECK(fault_of_xml(svg) == "");
  CHECK(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  CHECK(occurrences(svg, "class=\"step\"") == int(result.steps.size()));
  for (const StepProfile& step : result.steps)
    if (!step.path.empty()) CHECK(contains(svg, '>' + step.path + "</text>"));
  CHECK(contains(svg, ">convolution</text>"));
  CHECK_FALSE(contains(svg, ">transposed convolution</text>"));
}

TEST_CASE("the picture writes out what XML reserves", "[engine]") {
  Profile odd{.model = "A<B & C>", .calls = 1, .peak_gflops = 1};
  odd.steps.push_back({.path = "a<\"b\">&'c'\x01", .operation = ops::Linear{}, .name = "x<y"});
  const std::string svg = to_svg(odd);
  CHECK(fault_of_xml(svg) == "");
  CHECK(contains(svg, ">a&lt;&quot;b&quot;&gt;&amp;'c'?</text>"));
}

TEST_CASE("a profile of nothing prints", "[engine]") {
  CHECK(fault_of_xml(to_svg(Profile{})) == "");
  CHECK(lines_of(table(Profile{})).size() == 6);
}
