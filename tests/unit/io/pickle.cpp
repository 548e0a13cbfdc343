// The pickle machine: values against what Python's pickle documents, and the refusals.
#include "hand_built.hpp"
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using namespace hand_built;
using namespace lamina::io::pickle;
using Catch::Matchers::ContainsSubstring;
using namespace std::string_literals;

namespace {
// What the machine makes of the opcodes, which must outlive the graph.
Graph run(const std::string& opcodes) { return Machine("file", "data.pkl", opcodes).run(); }
std::string failure(const std::string& opcodes) {
  try {
    run(opcodes);
  } catch (const lamina::checkpoint_error& error) { return error.what(); }
  return "";
}
std::int64_t integer(const std::string& opcodes) {
  const Graph graph = run(opcodes);
  REQUIRE(graph.is(graph.root, Kind::integer));
  return graph[graph.root].integer;
}
Kind kind(const std::string& opcodes) {
  const Graph graph = run(opcodes);
  return graph[graph.root].kind;
}
std::string string(const std::string& opcodes) {
  const Graph graph = run(opcodes);
  REQUIRE(graph.is(graph.root, Kind::text));
  return std::string(graph[graph.root].text);
}
std::string repeated(const std::string& opcodes, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += opcodes;
  return all;
}
}  // namespace

TEST_CASE("io: pickled ints", "[io]") {
  CHECK(integer("K\xff.") == 255);
  CHECK(integer("M\x01\x02.") == 0x0201);
  CHECK(integer("J\xfe\xff\xff\xff.") == -2);
  CHECK(integer("\x8a\x00."s) == 0);            // pickle.dumps(0 as LONG1)
  CHECK(integer("\x8a\x02\xff\x00."s) == 255);  // LONG1 of 255: the sign needs a byte
  CHECK(integer("\x8a\x01\xff.") == -1);
  CHECK(integer("\x8a\x06\x00\x00\x00\x00\x00\x01."s) == 1ll << 40);  // pickle.dumps(1 << 40)
  CHECK(integer("\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80."s) == INT64_MIN);
  CHECK(integer("\x8a\x09\xff\xff\xff\xff\xff\xff\xff\x7f\x00."s) == INT64_MAX);
  CHECK(integer("\x8b\x01\x00\x00\x00\x05."s) == 5);
  CHECK(integer("I-12\n.") == -12);
  CHECK(integer("I-9223372036854775808\n.") == INT64_MIN);
  CHECK(kind("\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x80\x00."s) == Kind::long_integer);  // 2^63
  CHECK(kind("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.") == Kind::long_integer);
  CHECK(kind("I01\n.") == Kind::boolean);
  CHECK(failure("I9223372036854775808\n.") != "");
  CHECK(failure("I\n.") != "");
  CHECK(failure("I1x\n.") != "");
  CHECK(failure("\x8b\xff\xff\xff\xff.") != "");
}

TEST_CASE("io: pickled floats are big-endian, text is UTF-8", "[io]") {
  const std::string one_and_a_half = "G\x3f\xf8\0\0\0\0\0\0."s;
  const Graph graph = run(one_and_a_half);
  CHECK(graph[graph.root].real == 1.5);
  CHECK(string("X\2\0\0\0\xc3\xa9."s) == "\u00e9");
  CHECK(string("\x8c\1a.") == "a");
  CHECK(string("\x8d\1\0\0\0\0\0\0\0a."s) == "a");
  CHECK(string("U\1a.") == "a");
  CHECK(string("T\1\0\0\0a."s) == "a");
  for (const char* bad : {"\x8c\1\xff.", "\x8c\2\xc0\x80.", "\x8c\3\xed\xa0\x80.", "\x8c\4\xf4\x90\x80\x80.",
                          "\x8c\1\xc3.", "\x8c\1\x80."})
    CHECK_THAT(failure(bad), ContainsSubstring("UTF-8"));
  CHECK(kind("C\1\xff.") == Kind::bytes);
}

TEST_CASE("io: containers, marks and the memo", "[io]") {
  const std::string pickle = "}q\0(X\1\0\0\0a]q\1(K\1K\2eX\1\0\0\0bh\1u."s;  // {'a': [1, 2], 'b': the same list}
  const Graph graph = run(pickle);
  const Id a = graph.find(graph.root, "a"), b = graph.find(graph.root, "b");
  REQUIRE(graph.is(a, Kind::list));
  CHECK(a == b);
  CHECK(graph[a].items.size() == 2);
  CHECK(graph.find(graph.root, "c") == no_value);
  const std::string cycle = "]q\0h\0a."s;  // a list that holds itself
  const Graph loop = run(cycle);
  CHECK(loop[loop.root].items == lamina::detail::List<Id>{loop.root});
  CHECK(integer("K\7r\0\0\0\x80"
                "0j\0\0\0\x80."s) == 7);  // a memo index that jumps
  CHECK(integer("K\1q\5K\2q\0"
                "00h\5."s) == 1);
  CHECK(integer("K\5\x94K\6\x94\x30h\0."s) == 5);  // MEMOIZE: 0, then 1
  CHECK(integer("K\1(K\2"
                "1.") == 1);      // POP_MARK
  CHECK(integer("K\1(0.") == 1);  // POP of a MARK
  CHECK(kind("(K\1K\1\x91.") == Kind::set);
  CHECK(kind("\x8f(K\1\x90.") == Kind::set);
  CHECK(kind("\x80\4\x95\2\0\0\0\0\0\0\0N."s) == Kind::none);  // FRAME
}

TEST_CASE("io: a pickle that breaks the machine's rules is refused with its offset", "[io]") {
  CHECK(failure("") == "file: data.pkl: byte 0: needs 1 more bytes and the pickle has 0");
  CHECK_THAT(failure("N"), ContainsSubstring("byte 1"));
  for (const char* bad : {".",     "(.",   "0",     "1",    "t",    "a",   "Na",    "]a",    "s",      "}s",  "NNs",
                          "}NNNu", "R",    "NR",    "\x81", "b",    "N)b", "Q",     "q\1",   "\x94",   "h\1", "e",
                          "u",     "\x85", "(\x85", "\x93", "\x90", "(e",  "](NNu", "}(NNe", "\x8f(Ne"})
    CHECK_THAT(failure(bad + "."s), ContainsSubstring("file: data.pkl: byte "));
  CHECK_THAT(failure("}(Nu."), ContainsSubstring("a key without a value"));
  CHECK_THAT(failure("}]Ns."), ContainsSubstring("a list cannot be the key of a dict"));
  CHECK_THAT(failure("}]\x85Ns."), ContainsSubstring("a tuple cannot be the key"));
  CHECK_THAT(failure("\x8f(]\x90."), ContainsSubstring("a list cannot be in a set"));
  CHECK_THAT(failure("}}b."), ContainsSubstring("cannot be given attributes"));
  CHECK_THAT(failure("\x80\6N."), ContainsSubstring("protocol"));
  CHECK_THAT(failure("\x95\xff\0\0\0\0\0\0\0N."s), ContainsSubstring("frame"));
  CHECK_THAT(failure("cab"), ContainsSubstring("a line without an end"));
  CHECK_THAT(failure("X\xff\xff\xff\xff."s), ContainsSubstring("needs 4294967295 more bytes and the pickle has 1"));
  CHECK_THAT(failure("T\xff\xff\xff\xff."s), ContainsSubstring("negative"));
}

TEST_CASE("io: opcodes that no weight file needs are refused", "[io]") {
  // 69 INST, 6F OBJ, 82-84 EXT, 92 NEWOBJ_EX, 50 PERSID, 32 DUP, 00
  for (const char opcode : {'\x69', '\x6f', '\x82', '\x83', '\x84', '\x92', '\x50', '\x32', '\0'})
    CHECK_THAT(failure("N"s + opcode + "os\nsystem\n."), ContainsSubstring("which no weight file needs"));
}

TEST_CASE("io: nothing that can run a program may be named, nothing unknown called", "[io]") {
  for (const char* name :
       {"os\nsystem", "posix\nsystem", "nt\nsystem", "sys\nexit", "subprocess\nPopen", "builtins\neval",
        "__builtin__\nexec", "builtins\ngetattr", "runpy\nrun_path", "importlib\nimport_module",
        "importlib.util\nfind_spec", "pickle\nloads", "os.path\njoin", "builtins\nset.__init__"})
    CHECK_THAT(failure("c"s + name + "\n."), ContainsSubstring("can run programs"));
  CHECK_THAT(failure("\x8c\2os\x8c\6system\x93."), ContainsSubstring("\"os.system\""));
  CHECK_THAT(failure("cnet\nMake\n)R."), ContainsSubstring("asks to call \"net.Make\""));
  CHECK_THAT(failure("ctorch.storage\n_load_from_bytes\nC\1a\x85R."), ContainsSubstring("asks to call"));
  CHECK_THAT(failure("ctorch._utils\n_rebuild_sparse_tensor\n)R."), ContainsSubstring("sparse"));
  CHECK_THAT(failure("ctorch._utils\n_rebuild_parameter\nN\x85R."), ContainsSubstring("arguments"));
  CHECK_THAT(failure("N)R."), ContainsSubstring("None cannot be called"));
  CHECK(kind("cnet\nNet\n)\x81.") == Kind::object);  // an instance is only data
  CHECK(kind("cnet\nf\n.") == Kind::global);
  CHECK(kind("ctorch\ndevice\nU\4cuda\x85R.") == Kind::call);
  CHECK(kind("ctorch\nSize\n))\x86\x85R.") == Kind::tuple);
  CHECK(kind("c__builtin__\nset\n](K\1e\x85R.") == Kind::set);
}

TEST_CASE("io: an old OrderedDict is a list of pairs", "[io]") {
  const std::string pickle = "ccollections\nOrderedDict\n](](U\1aK\1e](U\1bK\2ee\x85R.";
  const Graph graph = run(pickle);
  REQUIRE(graph.is(graph.root, Kind::dict));
  CHECK(graph[graph.find(graph.root, "a")].integer == 1);
  CHECK(graph[graph.find(graph.root, "b")].integer == 2);
  CHECK(failure("ccollections\nOrderedDict\n](K\1e\x85R.") != "");
}

TEST_CASE("io: pickles that would take memory, time or stack without end are refused", "[io]") {
  CHECK_THAT(failure(")" + repeated("\x85", 1000000) + "."), ContainsSubstring("levels deep"));
  CHECK_THAT(failure(repeated("]", 3000000) + "."), ContainsSubstring("values"));
  CHECK_THAT(failure(repeated("N", 9000000) + "."), ContainsSubstring("steps"));
  std::string jumps = "N";
  for (std::uint32_t i = 0; i < 1100000; ++i) jumps += "r" + u32(~i);
  CHECK_THAT(failure(jumps + "."), ContainsSubstring("memo"));
  // Each call would copy the same list again.
  const std::string list = "](" + repeated("K\1K\1\x86", 100000) + "e\x85q\1" + "0";
  CHECK_THAT(failure(list + repeated("ccollections\nOrderedDict\nh\1R0", 1000) + "N."), ContainsSubstring("steps"));
  // 2^60 leaves in 60 pairs: harmless while nobody unfolds them.
  CHECK(kind("NN\x86" + repeated("q\1h\1\x86", 60) + ".") == Kind::tuple);
}
