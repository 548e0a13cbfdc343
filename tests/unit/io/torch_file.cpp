// What torch.save writes beside the archive and the pickle: tensors, state_dicts, checkpoints and modules.
#include "hand_built.hpp"
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <lamina/io/torch_structure.hpp>

using namespace hand_built;
using Catch::Matchers::ContainsSubstring;
using Names = std::vector<std::string>;

namespace {
lamina::io::StateDict read(const std::string& value, const std::vector<std::string>& data) {
  const TemporaryFile file(torch_file(pickled(value), data));
  return lamina::io::read_state_dict(file.path());
}
// What reading a state_dict of the one tensor "w" over two floats reports.
std::string with(const Tensor& changed) {
  return refusal(torch_file(pickled(dict({{"w", tensor(changed)}})), {floats({1, 2})}));
}
std::string rebuilt(const std::string& function, const std::vector<std::string>& arguments) {
  return global("torch._utils", function) + tuple(arguments) + "R";
}
std::string module_state(const std::vector<std::pair<std::string, std::string>>& parameters,
                         const std::vector<std::pair<std::string, std::string>>& buffers,
                         const std::vector<std::pair<std::string, std::string>>& children,
                         const std::string& transient = "\x8f") {
  return dict({{"training", "\x88"},
               {"_parameters", dict(parameters)},
               {"_buffers", dict(buffers)},
               {"_non_persistent_buffers_set", transient},
               {"_modules", dict(children)}});
}
std::string net(const std::string& state) { return object("nets", "Net", state); }
const std::vector<std::string> two{floats({1, 2})};
}  // namespace

TEST_CASE("io: strides, offsets and shared storages as as_strided defines them", "[io]") {
  const std::string value = dict({{"matrix", tensor({.sizes = {2, 3}, .strides = {3, 1}, .stored = 6})},
                                  {"transposed", tensor({.sizes = {3, 2}, .strides = {1, 3}, .stored = 6})},
                                  {"column", tensor({.sizes = {2}, .strides = {3}, .offset = 1, .stored = 6})},
                                  {"expanded", tensor({.sizes = {2, 2}, .strides = {0, 1}, .offset = 4, .stored = 6})},
                                  {"scalar", tensor({.sizes = {}, .strides = {}, .offset = 5, .stored = 6})},
                                  {"empty", tensor({.sizes = {0, 9}, .strides = {9, 1}, .offset = 6, .stored = 6})}});
  const auto tensors = read(value, {floats({0, 1, 2, 3, 4, 5})});
  CHECK(keys(tensors) == Names{"matrix", "transposed", "column", "expanded", "scalar", "empty"});
  CHECK(elements(tensors[0]) == std::vector<float>{0, 1, 2, 3, 4, 5});
  CHECK(elements(tensors[1]) == std::vector<float>{0, 3, 1, 4, 2, 5});
  CHECK(elements(tensors[2]) == std::vector<float>{1, 4});
  CHECK(elements(tensors[3]) == std::vector<float>{4, 5, 4, 5});
  CHECK(elements(tensors[4]) == std::vector<float>{5});
  CHECK(elements(tensors[5]).empty());
  CHECK(tensors[0].contiguous());
  CHECK_FALSE(tensors[1].contiguous());
  CHECK(tensors.find("column") == &tensors[2]);
  CHECK(tensors.find("row") == nullptr);
}

TEST_CASE("io: a state_dict outlives its copies and the path it was read from", "[io]") {
  lamina::io::StateDict kept;
  {
    const auto tensors = read(dict({{"w", tensor()}}), two);
    kept = tensors;
  }
  CHECK(elements(kept[0]) == std::vector<float>{1, 2});
  const auto moved = std::move(kept);
  CHECK(elements(*moved.find("w")) == std::vector<float>{1, 2});
}

TEST_CASE("io: every way in which PyTorch writes a tensor", "[io]") {
  const std::string hooks = ordered_dict(), parameter = global("torch.nn.parameter", "Parameter");
  const Tensor bytes{.stored = 8, .type = "UntypedStorage", .module = "torch.storage"};
  const std::string value = dict({
      {"v1", rebuilt("_rebuild_tensor", {storage({}), number(0), numbers({2}), numbers({1})})},
      {"parameter", rebuilt("_rebuild_parameter", {tensor(), "\x88", hooks})},
      {"with_state", rebuilt("_rebuild_parameter_with_state", {tensor(), "\x88", hooks, "}"})},
      {"from_type", global("torch._tensor", "_rebuild_from_type_v2") +
                        tuple({global("torch._utils", "_rebuild_parameter"), global("nets", "MyParameter"),
                               tuple({tensor(), "\x88", hooks}), "}"}) +
                        "R"},
      {"old_parameter", parameter + tuple({tensor()}) + "R" + tuple({tensor(), "\x88", hooks}) + "b"},
      {"new_parameter", parameter + tuple({tensor(), "\x88"}) + "\x81"},
      {"v3", rebuilt("_rebuild_tensor_v3", {storage(bytes), number(2), numbers({2}), numbers({1}), "\x89", hooks,
                                            global("torch", "uint16")})},
      {"size",
       rebuilt("_rebuild_tensor_v2", {storage({}), number(0), global("torch", "Size") + tuple({numbers({2})}) + "R",
                                      numbers({1}), "\x89", hooks})},
      {"cuda", tensor({.type = "FloatStorage", .module = "torch.cuda", .location = "cuda:1"})},
      {"negative", rebuilt("_rebuild_tensor_v2", {storage({}), number(0), numbers({2}), numbers({1}), "\x89", hooks,
                                                  dict({{"neg", "\x88"}})})},
  });
  // v3 reads the same 8 bytes under a key of its own: one key has one class.
  std::string renamed = value;
  const std::size_t at = renamed.find("UntypedStorage");
  renamed.replace(renamed.find(text("0"), at), text("0").size(), text("1"));
  const auto tensors = read(renamed, {floats({1, 2}), u16(1) + u16(2) + u16(3) + u16(65535)});
  REQUIRE(tensors.size() == 10);
  for (const char* name :
       {"v1", "parameter", "with_state", "from_type", "old_parameter", "new_parameter", "size", "cuda"}) {
    INFO(name);
    REQUIRE(tensors.find(name));
    CHECK(elements(*tensors.find(name)) == std::vector<float>{1, 2});
  }
  CHECK(lamina::dtype_name(tensors.find("v3")->dtype) == "uint16");
  CHECK(elements(*tensors.find("v3")) == std::vector<float>{3, 65535});
  CHECK(elements(*tensors.find("negative")) == std::vector<float>{-1, -2});
}

TEST_CASE("io: a big-endian file is read with its bytes swapped", "[io]") {
  std::vector<Record> records = torch_records(
      pickled(dict({{"w", tensor({.sizes = {2, 1}, .strides = {1, 1}})},
                    {"z", tensor({.sizes = {1}, .stored = 1, .type = "ComplexFloatStorage", .key = "1"})}})),
      {std::string("\x3f\x80\0\0\xc0\0\0\0", 8), std::string("\x3f\x80\0\0\xc0\0\0\0", 8)});
  records[1].bytes = "big";
  records[1].size = records[1].packed_size = 3;
  const TemporaryFile file(zip(records));
  const auto tensors = lamina::io::read_state_dict(file.path());
  CHECK(elements(tensors[0]) == std::vector<float>{1, -2});
  CHECK(elements<double>(tensors[0], lamina::Dtype::float64) == std::vector<double>{1, -2});
  std::vector<float> parts(2);
  lamina::io::copy_elements(tensors[1], lamina::Dtype::complex64, parts.data());
  CHECK(parts == std::vector<float>{1, -2});  // each half is swapped, the order of the halves stays
}

TEST_CASE("io: tensors that do not fit their storage are refused by name", "[io]") {
  CHECK(with({}) == "");
  CHECK(with({.stored = 3}) == "data/0: the record holds 8 bytes and a FloatStorage of the pickle needs 12");
  CHECK(with({.stored = 1ll << 62}) != "");
  CHECK(with({.stored = -1}) != "");
  CHECK(with({.sizes = {3}}) == "tensor \"w\": reaches element 2 of a storage of 2 elements");
  CHECK_THAT(with({.offset = 1}), ContainsSubstring("reaches element 2"));
  CHECK_THAT(with({.sizes = {2}, .strides = {2}}), ContainsSubstring("reaches element 2"));
  CHECK_THAT(with({.sizes = {-2}}), ContainsSubstring("is -2"));
  CHECK_THAT(with({.sizes = {2}, .strides = {-1}}), ContainsSubstring("is -1"));
  CHECK_THAT(with({.offset = -1}), ContainsSubstring("is -1"));
  CHECK_THAT(with({.sizes = {2}, .strides = {1, 1}}), ContainsSubstring("1 sizes and 2 strides"));
  CHECK_THAT(with({.sizes = std::vector<std::int64_t>(65, 1), .strides = std::vector<std::int64_t>(65, 1)}),
             ContainsSubstring("65 dimensions"));
  CHECK(with({.sizes = std::vector<std::int64_t>(64, 1), .strides = std::vector<std::int64_t>(64, 1)}) == "");
  CHECK_THAT(with({.sizes = {1ll << 40}, .strides = {1ll << 40}}), ContainsSubstring("beyond 64 bits"));
  CHECK_THAT(with({.sizes = {1ll << 40, 1ll << 40}, .strides = {0, 0}}), ContainsSubstring("beyond 64 bits"));
  CHECK_THAT(with({.sizes = {1ll << 40}, .strides = {0}}), ContainsSubstring("far more memory than the file holds"));
  CHECK_THAT(with({.key = "1"}), ContainsSubstring("data/1: there is no such record"));
  CHECK_THAT(with({.key = "../data/0"}), ContainsSubstring("there is no such record"));
  CHECK_THAT(with({.type = "QInt8Storage"}), ContainsSubstring("torch.QInt8Storage"));
  CHECK_THAT(with({.module = "net"}), ContainsSubstring("net.FloatStorage"));
  CHECK_THAT(with({.type = "DoubleStorage"}), ContainsSubstring("needs 16"));
}

TEST_CASE("io: references of one key must agree", "[io]") {
  const std::string value = dict({{"a", tensor()}, {"b", tensor({.type = "IntStorage"})}});
  CHECK_THAT(refusal(torch_file(pickled(value), two)),
             ContainsSubstring("data/0: is a FloatStorage for one tensor and a IntStorage"));
}

TEST_CASE("io: arguments of the wrong kind are refused", "[io]") {
  const auto reported = [](const std::vector<std::string>& arguments) {
    return refusal(torch_file(pickled(dict({{"w", rebuilt("_rebuild_tensor_v2", arguments)}})), two));
  };
  const std::string s = storage({}), n = number(0), shape = numbers({2}), one = numbers({1}), no = "\x89",
                    hooks = ordered_dict();
  CHECK(reported({s, n, shape, one, no, hooks}) == "");
  CHECK_THAT(reported({s, n, shape, one, no}), ContainsSubstring("tensor \"w\": is made from 5 arguments"));
  CHECK_THAT(reported({s, n, shape, one, no, hooks, "N", "N"}), ContainsSubstring("8 arguments"));
  CHECK_THAT(reported({"N", n, shape, one, no, hooks}), ContainsSubstring("its storage is None"));
  CHECK_THAT(reported({s, "N", shape, one, no, hooks}), ContainsSubstring("is None"));
  CHECK_THAT(reported({s, n, n, one, no, hooks}), ContainsSubstring("an int"));
  CHECK_THAT(reported({s, n, tuple({"\x8a\x09" + std::string(8, '\xff') + "\x01"}), one, no, hooks}),
             ContainsSubstring("beyond 64 bits"));
  CHECK_THAT(reported({tuple({text("storage")}) + "Q", n, shape, one, no, hooks}),
             ContainsSubstring("('storage', class, key, location, size)"));
  CHECK_THAT(reported({"NQ", n, shape, one, no, hooks}), ContainsSubstring("('storage'"));
}

TEST_CASE("io: a wrong tensor outside the state_dict is refused too", "[io]") {
  const std::string value = dict({{"state_dict", dict({{"w", tensor()}})}, {"optimizer", tensor({.sizes = {9}})}});
  CHECK_THAT(refusal(torch_file(pickled(value), two)), ContainsSubstring("tensor at byte"));
}

TEST_CASE("io: the weights are found in a checkpoint", "[io]") {
  const std::string weights = dict({{"module.w", tensor()}});
  for (const char* key : {"state_dict", "model_state_dict", "model", "net"}) {
    INFO(key);
    CHECK(keys(read(dict({{"epoch", number(3)}, {key, weights}, {"loss", "N"}}), two)) == Names{"module.w"});
  }
  const std::string whole = net(module_state({{"w", tensor()}}, {}, {}));
  CHECK(keys(read(dict({{"epoch", number(3)}, {"model", whole}}), two)) == Names{"w"});
  // A tensor that happens to be called `net`, and settings that happen to be called `model`, are no state_dicts.
  CHECK(keys(read(dict({{"net", tensor()}, {"model", dict({{"depth", number(3)}})}, {"mask_values", "](K\2K\1e"}}),
                  two)) == Names{"net"});
  CHECK(read("}", {}).empty());
}

TEST_CASE("io: files without named tensors say what they hold", "[io]") {
  CHECK_THAT(refusal(torch_file(pickled(tensor()), two)), ContainsSubstring("holds a tensor"));
  CHECK_THAT(refusal(torch_file(pickled("]"))), ContainsSubstring("holds a list"));
  CHECK_THAT(refusal(torch_file(pickled(object("nets", "Thing", "}")))),
             ContainsSubstring("\"Thing\", which is no module"));
  CHECK_THAT(refusal(torch_file(pickled(dict({{"epoch", number(1)}, {"generator", dict({{"w", tensor()}})}})), two)),
             ContainsSubstring("its keys: \"epoch\", \"generator\""));
  CHECK_THAT(refusal(torch_file(pickled("}(K\1" + tensor() + "u"), two)),
             ContainsSubstring("the name of a tensor is an int"));
}

TEST_CASE("io: the versions of modules are kept", "[io]") {
  const auto version = [](int n) { return dict({{"version", number(n)}}); };
  const std::string value = ordered_dict() + "(" + text("bn.weight") + tensor() + "u" +
                            dict({{"_metadata", dict({{"", version(1)}, {"bn", version(2)}})}}) + "b";
  const auto tensors = read(value, two);
  CHECK(keys(tensors) == Names{"bn.weight"});
  CHECK(tensors.version("") == 1);
  CHECK(tensors.version("bn") == 2);
  CHECK_FALSE(tensors.version("fc").has_value());
}

TEST_CASE("io: a later entry of a name replaces the earlier one in its place, as in a Python dict", "[io]") {
  const auto tensors =
      read(dict({{"a", tensor()}, {"b", tensor()}, {"a", tensor({.key = "1"})}}), {floats({1, 2}), floats({3, 4})});
  CHECK(keys(tensors) == Names{"a", "b"});
  CHECK(elements(tensors[0]) == std::vector<float>{3, 4});
}

TEST_CASE("io: a module gives its parameters, persistent buffers and children, in that order", "[io]") {
  const std::string child = net(module_state({{"weight", tensor()}, {"bias", "N"}}, {{"mean", tensor()}}, {}));
  const std::string root =
      net(module_state({{"scale", tensor()}}, {{"scratch", tensor()}, {"shift", tensor()}},
                       {{"first", child}, {"none", "N"}, {"second", child}}, "\x8f(" + text("scratch") + "\x90"));
  CHECK(keys(read(root, two)) == Names{"scale", "shift", "first.weight", "first.mean", "second.weight", "second.mean"});
  const TemporaryFile file(torch_file(pickled(root), two));
  const auto whole = lamina::io::read_torch_file(lamina::io::MappedFile(file.path()), lamina::io::Container::zip);
  REQUIRE(whole.module != lamina::io::pickle::no_value);
  const auto& values = whole.source.graph;
  const auto& type = values[values[whole.module].items[0]];
  CHECK(type.text == "nets");
  CHECK(type.name == "Net");
  CHECK(values[values.attribute(whole.module, "training")].integer == 1);
}

TEST_CASE("io: modules that are wrong inside are refused by path", "[io]") {
  const auto reported = [](const std::string& value) { return refusal(torch_file(pickled(value), two)); };
  CHECK_THAT(reported(net(module_state({{"w", number(3)}}, {}, {}))),
             ContainsSubstring("the module: \"w\" is an int, not a tensor"));
  CHECK_THAT(reported(net(module_state({}, {}, {{"a", number(3)}}))),
             ContainsSubstring("module \"a\": is an int, not a module"));
  CHECK_THAT(reported(net(module_state({}, {}, {{"a", net(module_state({}, {}, {{"b", "]"}}))}}))),
             ContainsSubstring("module \"a.b\""));
}

TEST_CASE("io: modules that hold themselves or share each other endlessly are refused", "[io]") {
  const std::string start = global("nets", "Net") + ")\x81q\1";  // memo 1: the module
  const std::string loop = start + module_state({}, {}, {{"again", "h\1"}}) + "b";
  CHECK_THAT(refusal(torch_file(pickled(loop))), ContainsSubstring("nested more than 100 levels deep"));
  std::string doubled = net(module_state({{"w", tensor()}}, {}, {}));
  for (int i = 0; i < 60; ++i) doubled = net(module_state({}, {}, {{"a", doubled + "q\2"}, {"b", "h\2"}}));
  CHECK_THAT(refusal(torch_file(pickled(doubled), two)), ContainsSubstring("endlessly"));
}

TEST_CASE("io: the structure of a module is names and text", "[io]") {
  const std::string child = object("torch.nn.modules.conv", "Conv2d",
                                   dict({{"training", "\x89"},
                                         {"_parameters", dict({{"weight", tensor()}, {"bias", "N"}})},
                                         {"_buffers", dict({{"scratch", tensor({.sizes = {}, .strides = {}})}})},
                                         {"_non_persistent_buffers_set", "\x8f(" + text("scratch") + "\x90"},
                                         {"_forward_hooks", ordered_dict()},
                                         {"_modules", "}"},
                                         {"kernel_size", numbers({3, 1})},
                                         {"padding_mode", text("zeros")},
                                         {"eps", "G\x3e\xe4\xf8\xb5\x88\xe3\x68\xf1"},
                                         {"limits", "](NK\1e"},
                                         {"sizes", numbers({7})},
                                         {"names", dict({{"a", "\x88"}})},
                                         {"type", global("nets", "Kind")},
                                         {"device", global("torch", "device") + tuple({text("cuda"), number(1)}) + "R"},
                                         {"_own", number(-5)}}));
  const TemporaryFile file(torch_file(pickled(net(module_state({}, {}, {{"first", child}}))), two));
  const lamina::io::ModuleTree tree = lamina::io::read_module_tree(file.path());
  REQUIRE(tree.size() == 2);
  CHECK(tree[0].path.empty());
  CHECK(tree[0].class_name == "Net");
  CHECK(tree[1].path == "first");
  CHECK(tree[1].depth == 1);
  CHECK(tree[1].class_module == "torch.nn.modules.conv");
  std::string shown;
  for (const auto& attribute : tree[1].attributes) shown += attribute.name + "=" + attribute.value + "; ";
  CHECK(shown == "training=False; kernel_size=(3, 1); padding_mode='zeros'; eps=1e-05; limits=[None, 1]; sizes=(7,); "
                 "names={'a': True}; type=nets.Kind; device=torch.device('cuda', 1); _own=-5; ");
  REQUIRE(tree[1].tensors.size() == 2);
  CHECK(tree[1].tensors[0].name == "weight");
  CHECK((tree[1].tensors[0].parameter && tree[1].tensors[0].saved));
  CHECK(tree[1].tensors[1].shape.empty());
  CHECK_FALSE((tree[1].tensors[1].parameter || tree[1].tensors[1].saved));
}

TEST_CASE("io: a structure that would be far longer than its file is refused", "[io]") {
  std::string attributes = text("a") + "q\1" + text(std::string(1000, 'x')) + "q\2";
  for (int i = 0; i < 600000; ++i) attributes += "h\1h\2";
  const TemporaryFile file(torch_file(
      pickled(object("nets", "Net", "}(" + text("_parameters") + "}" + text("_modules") + "}" + attributes + "u"))));
  CHECK_THROWS_WITH(lamina::io::read_module_tree(file.path()), ContainsSubstring("endlessly"));
}
