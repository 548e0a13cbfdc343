// Hostile pickles and tensors: one of each kind that a reader of PyTorch's files must refuse, by name.
#include "hostile.hpp"

using namespace hand_built;

namespace {
using namespace std::string_literals;

const std::vector<std::string> two{floats({1, 2})};

/// A zip file around these bytes of a pickle, which lack the STOP.
std::string pickle(const std::string& opcodes) { return torch_file("\x80\2" + opcodes + ".", two); }
/// A state_dict of one tensor "w".
std::string state_dict(const std::string& value) { return pickle(dict({{"w", value}})); }
std::string weight(const Tensor& t) { return state_dict(tensor(t)); }
std::string call(const std::string& module, const std::string& name, const std::vector<std::string>& arguments) {
  return global(module, name) + tuple(arguments) + "R";
}
std::string rebuilt(const std::vector<std::string>& arguments, const std::string& function = "_rebuild_tensor_v2") {
  return state_dict(call("torch._utils", function, arguments));
}
std::string module_of(const std::string& parameters, const std::string& buffers, const std::string& modules) {
  return object("nets", "Net", dict({{"_parameters", parameters}, {"_buffers", buffers}, {"_modules", modules}}));
}
const std::string s = storage({}), zero = number(0), shape = numbers({2}), one = numbers({1}), no = "\x89",
                  hooks = ordered_dict(), beyond = "\x8a\x09" + std::string(8, '\xff') + "\x01";
}  // namespace

TEST_CASE("io: hostile opcodes", "[io]") {
  check_refused({
      {"INST, which calls a class", pickle("(ios\nsystem\n"), "opcode 69"},
      {"OBJ, which calls a class", pickle("(cos\nsystem\no"), "os.system"},
      {"OBJ of a harmless class", pickle("(cnet\nNet\no"), "opcode 6f"},
      {"EXT1, a class by its registered number", pickle("\x82\1"), "opcode 82"},
      {"EXT2", pickle("\x83\1\1"), "opcode 83"},
      {"EXT4", pickle("\x84\1\1\1\1"), "opcode 84"},
      {"NEWOBJ_EX, a call with keywords", pickle("cnet\nNet\n)}\x92"), "opcode 92"},
      {"PERSID, a reference as text", pickle("Pstorage\n"), "opcode 50"},
      {"DUP", pickle("N2"), "opcode 32"},
      {"GET by text", pickle("Np0\ng0\n"), "opcode 70"},
      {"LONG by text", pickle("L5L\n"), "opcode 4c"},
      {"FLOAT by text", pickle("F1.5\n"), "opcode 46"},
      {"STRING by text", pickle("S'a'\n"), "opcode 53"},
      {"UNICODE by text", pickle("Va\n"), "opcode 56"},
      {"LIST from a MARK", pickle("(l"), "opcode 6c"},
      {"DICT from a MARK", pickle("(d"), "opcode 64"},
      {"BYTEARRAY8", pickle("\x96" + u64(0)), "opcode 96"},
      {"NEXT_BUFFER", pickle("\x97"), "opcode 97"},
      {"READONLY_BUFFER", pickle("N\x98"), "opcode 98"},
      {"the opcode 00", pickle("\0"s), "opcode 00"},
      {"the opcode FF", pickle("\xff"), "opcode ff"},
      {"a protocol of the future", torch_file("\x80\6}."), "a pickle protocol above 5"},
  });
}

TEST_CASE("io: hostile uses of stack, marks and memo", "[io]") {
  check_refused({
      {"STOP on an empty stack", pickle(""), "the stack is empty"},
      {"STOP under an open MARK", pickle("N("), "the stack is empty"},
      {"POP of nothing", pickle("0"), "there is no MARK"},
      {"POP_MARK without a MARK", pickle("N1"), "there is no MARK"},
      {"TUPLE without a MARK", pickle("Nt"), "there is no MARK"},
      {"TUPLE1 of nothing", pickle("\x85"), "the stack is empty"},
      {"TUPLE2 of one", pickle("N\x86"), "the stack is empty"},
      {"TUPLE3 of two", pickle("NN\x87"), "the stack is empty"},
      {"TUPLE2 across a MARK", pickle("N(N\x86"), "the stack is empty"},
      {"APPEND to nothing", pickle("Na"), "the stack is empty"},
      {"APPENDS without a MARK", pickle("]e"), "there is no MARK"},
      {"APPENDS to nothing", pickle("(Ne"), "the stack is empty"},
      {"SETITEM of two", pickle("NNs"), "the stack is empty"},
      {"SETITEMS without a MARK", pickle("}u"), "there is no MARK"},
      {"SETITEMS to nothing", pickle("(NNu"), "the stack is empty"},
      {"ADDITEMS without a MARK", pickle("\x8f\x90"), "there is no MARK"},
      {"FROZENSET without a MARK", pickle("\x91"), "there is no MARK"},
      {"REDUCE of one", pickle(")R"), "the stack is empty"},
      {"NEWOBJ of one", pickle(")\x81"), "the stack is empty"},
      {"BUILD of one", pickle("}b"), "the stack is empty"},
      {"STACK_GLOBAL of one", pickle("\x8c\1a\x93"), "the stack is empty"},
      {"BINPERSID of nothing", pickle("Q"), "the stack is empty"},
      {"BINPUT of nothing", pickle("q\1"), "the stack is empty"},
      {"LONG_BINPUT of nothing", pickle("r" + u32(1)), "the stack is empty"},
      {"MEMOIZE of nothing", pickle("\x94"), "the stack is empty"},
      {"BINGET of an index that was never stored", pickle("h\1"), "nothing was stored in the memo as 1"},
      {"LONG_BINGET of an index that was never stored", pickle("j" + u32(70000)), "nothing was stored in the memo"},
      {"SETITEMS with a key and no value", pickle("}(Nu"), "a key without a value"},
      {"SETITEMS with three", pickle("}(NNNu"), "a key without a value"},
  });
}

TEST_CASE("io: hostile text and lengths in pickles", "[io]") {
  check_refused({
      {"a key that is no UTF-8", pickle("}X" + u32(1) + "\xff" + "Ns"), "text that is not UTF-8"},
      {"an overlong form", pickle("\x8c\2\xc0\x80"), "text that is not UTF-8"},
      {"half a surrogate pair", pickle("\x8c\3\xed\xa0\x80"), "text that is not UTF-8"},
      {"a character beyond U+10FFFF", pickle("\x8c\4\xf4\x90\x80\x80"), "text that is not UTF-8"},
      {"a character that is cut off", pickle("\x8c\1\xc3"), "text that is not UTF-8"},
      {"a class name that is no UTF-8", pickle("cnet\n\xff\n"), "text that is not UTF-8"},
      {"an old byte string that is no UTF-8", pickle("U\1\xff"), "text that is not UTF-8"},
      {"text of 4 GiB", pickle("X" + u32(0xffffffff)), "needs 4294967295 more bytes"},
      {"text of 2^62 bytes", pickle("\x8d" + u64(1ull << 62)), "needs 4611686018427387904 more bytes"},
      {"text of 2^64 - 1 bytes", pickle("\x8d" + u64(~0ull)), "more bytes and the pickle has"},
      {"short text past the end", pickle("\x8c\xff"), "needs 255 more bytes"},
      {"bytes of 4 GiB", pickle("B" + u32(0xffffffff)), "needs 4294967295 more bytes"},
      {"bytes of 2^63", pickle("\x8e" + u64(1ull << 63)), "needs 9223372036854775808 more bytes"},
      {"short bytes past the end", pickle("C\xff"), "needs 255 more bytes"},
      {"an old byte string past the end", pickle("U\xff"), "needs 255 more bytes"},
      {"an old byte string of negative length", pickle("T" + u32(0x80000000)), "a negative length"},
      {"a long int past the end", pickle("\x8a\xff"), "needs 255 more bytes"},
      {"a long int of 2 GiB", pickle("\x8b" + u32(0x7fffffff)), "needs 2147483647 more bytes"},
      {"a long int of negative length", pickle("\x8b" + u32(0xffffffff)), "a negative length"},
      {"a frame past the end", pickle("\x95" + u64(1000)), "a frame that reaches past the end"},
      {"a frame of 2^64 - 1 bytes", pickle("\x95" + u64(~0ull)), "a frame that reaches past the end"},
      {"an int that is cut off", torch_file("\x80\2J\1\1"), "needs 4 more bytes and the pickle has 2"},
      {"a float that is cut off", torch_file("\x80\2G\1"), "needs 8 more bytes and the pickle has 1"},
      {"a class name without an end", torch_file("\x80\2cnet\nNet"), "a line without an end"},
      {"an int line without an end", torch_file("\x80\2I12"), "a line without an end"},
      {"an int line that is no number", pickle("I1x\n"), "not a number of 64 bits"},
      {"an int line beyond 64 bits", pickle("I99999999999999999999\n"), "not a number of 64 bits"},
      {"a pickle without a STOP", torch_file("\x80\2}"), "needs 1 more bytes and the pickle has 0"},
      {"an empty pickle", torch_file(""), "needs 1 more bytes and the pickle has 0"},
  });
}

TEST_CASE("io: hostile containers of the wrong type", "[io]") {
  check_refused({
      {"APPEND to a dict", pickle("}Na"), "a dict cannot be filled as a list"},
      {"APPEND to a tuple", pickle(")Na"), "a tuple cannot be filled as a list"},
      {"APPENDS to None", pickle("N(Ne"), "None cannot be filled as a list"},
      {"SETITEM on a list", pickle("]NNs"), "a list cannot be filled as a dict"},
      {"SETITEMS on a set", pickle("\x8f(NNu"), "a set cannot be filled as a dict"},
      {"SETITEMS on a tensor", pickle(tensor() + "(NNu"), "a tensor cannot be filled as a dict"},
      {"ADDITEMS to a list", pickle("](N\x90"), "a list cannot be filled as a set"},
      {"BUILD on an int", pickle("K\1}b"), "an int cannot be given attributes"},
      {"BUILD on a list", pickle("]}b"), "a list cannot be given attributes"},
      {"BUILD on a plain dict", pickle("}}b"), "a dict cannot be given attributes"},
      {"BUILD on a class", pickle("cnet\nNet\n}b"), "a class or function cannot be given attributes"},
      {"BUILD on a tensor with a dict", pickle(tensor() + "}b"), "the state of a tensor is a dict"},
      {"BUILD on an OrderedDict with a list", pickle(ordered_dict() + "]b"), "a dict cannot be given attributes"},
      {"a list as a key", pickle("}]Ns"), "a list cannot be the key of a dict"},
      {"a dict as a key", pickle("}}Ns"), "a dict cannot be the key of a dict"},
      {"a set as a key", pickle("}\x8fNs"), "a set cannot be the key of a dict"},
      {"a tuple with a list as a key", pickle("}]\x85Ns"), "a tuple cannot be the key of a dict"},
      {"a list in a set", pickle("\x8f(]\x90"), "a list cannot be in a set"},
      {"a dict in a frozenset", pickle("(}\x91"), "a dict cannot be in a set"},
      {"STACK_GLOBAL of ints", pickle("K\1K\1\x93"), "the name of a class is not text"},
  });
}

TEST_CASE("io: hostile classes, functions and calls", "[io]") {
  std::vector<Hostile> files;
  // Naming one is enough, no call is needed.
  for (const char* name : {"os\nsystem",
                           "os\npopen",
                           "posix\nsystem",
                           "nt\nsystem",
                           "sys\nmodules",
                           "subprocess\nPopen",
                           "builtins\neval",
                           "builtins\nexec",
                           "builtins\ngetattr",
                           "builtins\n__import__",
                           "__builtin__\neval",
                           "__builtin__\nopen",
                           "runpy\nrun_path",
                           "pickle\nloads",
                           "_pickle\nloads",
                           "cPickle\nloads",
                           "os.path\njoin",
                           "shutil\nrmtree",
                           "socket\nsocket",
                           "ctypes\nCDLL",
                           "importlib\nreload",
                           "marshal\nloads",
                           "webbrowser\nopen",
                           "pty\nspawn",
                           "code\ninteract",
                           "builtins\nset.union",
                           "importlib.util\nfind_spec",
                           "__builtin__\ncomplex.__new__"})
    files.push_back({name, pickle("c"s + name + "\n"), "which can run programs"});
  check_refused(files);
  check_refused({
      {"os.system by STACK_GLOBAL", pickle("\x8c\2os\x8c\6system\x93\x8c\2id\x85R"), "\"os.system\""},
      {"eval called", pickle(call("builtins", "eval", {text("print(1)")})), "\"builtins.eval\""},
      {"eval as an attribute of a module", pickle(object("nets", "Net", dict({{"f", global("builtins", "eval")}}))),
       "\"builtins.eval\""},
      {"os.system behind a sound state_dict", pickle(dict({{"w", tensor()}}) + global("os", "system")),
       "\"os.system\""},
      {"torch.load", pickle(call("torch", "load", {text("x")})), "asks to call \"torch.load\""},
      {"torch.hub.load", pickle(call("torch.hub", "load", {text("x")})), "asks to call \"torch.hub.load\""},
      {"_load_from_bytes", pickle(call("torch.storage", "_load_from_bytes", {"C\1a"})), "asks to call"},
      {"functools.partial", pickle(call("functools", "partial", {global("torch", "device")})), "asks to call"},
      {"operator.attrgetter", pickle(call("operator", "attrgetter", {text("a")})), "asks to call"},
      {"numpy.core.multiarray._reconstruct", pickle(call("numpy.core.multiarray", "_reconstruct", {})), "asks to call"},
      {"a user's function", pickle(call("nets", "make", {})), "asks to call \"nets.make\""},
      {"a dtype called", pickle(call("torch", "float32", {})), "asks to call"},
      {"a storage called", pickle(storage({}) + ")R"), "a storage cannot be called"},
      {"an int called", pickle("K\1)R"), "an int cannot be called"},
      {"an instance called", pickle(object("nets", "Net", "}") + ")R"), "an object cannot be called"},
      {"arguments that are no tuple", pickle("ccollections\nOrderedDict\n]R"), "the arguments of a call are a list"},
      {"a list constructed", pickle("])\x81"), "a list cannot be called"},
      {"_rebuild_from_type_v2 around a user's function",
       pickle(call("torch._tensor", "_rebuild_from_type_v2", {global("nets", "f"), global("nets", "T"), ")", "N"})),
       "asks to call \"nets.f\""},
      {"_rebuild_from_type_v2 with three arguments",
       pickle(call("torch._tensor", "_rebuild_from_type_v2", {global("nets", "f"), ")", "N"})), "wrong number or kind"},
      {"a set of an int", pickle(call("builtins", "set", {"K\1"})), "wrong number or kind"},
      {"an OrderedDict of an int", pickle(call("collections", "OrderedDict", {"K\1"})), "wrong number or kind"},
      {"an OrderedDict of ints", pickle(call("collections", "OrderedDict", {"](K\1K\2e"})), "wrong number or kind"},
      {"an OrderedDict of two", pickle(call("collections", "OrderedDict", {"}", "}"})), "wrong number or kind"},
      {"a torch.Size of an int", pickle(call("torch", "Size", {"K\1"})), "wrong number or kind"},
      {"a parameter of None", pickle(call("torch._utils", "_rebuild_parameter", {"N", "\x88", "}"})),
       "wrong number or kind"},
      {"a sparse tensor", pickle(call("torch._utils", "_rebuild_sparse_tensor", {"N"})), "sparse, quantized, meta"},
      {"a quantized tensor", pickle(call("torch._utils", "_rebuild_qtensor", {"N"})), "sparse, quantized, meta"},
      {"a tensor without a storage", pickle(call("torch._utils", "_rebuild_meta_tensor_no_storage", {"N"})),
       "sparse, quantized, meta"},
  });
}

TEST_CASE("io: hostile amounts and graphs of values", "[io]") {
  std::string jumps = "N", shared = module_of("}", "}", "}"), doubled = module_of(dict({{"w", tensor()}}), "}", "}");
  for (std::uint32_t i = 0; i < 1100000; ++i) jumps += "r" + u32(~i);
  for (int i = 0; i < 60; ++i) doubled = module_of("}", "}", dict({{"a", doubled + "q\2"}, {"b", "h\2"}}));
  std::string deep = module_of("}", "}", "}");
  for (int i = 0; i < 101; ++i) deep = module_of("}", "}", dict({{"a", deep}}));
  const std::string start = global("nets", "Net") + ")\x81q\1";
  check_refused({
      {"a million nested tuples", pickle(")" + repeated("\x85", 1000000)), "levels deep"},
      {"a million nested lists", pickle(repeated("]", 1000000) + repeated("a", 999999)), "levels deep"},
      {"a million nested dicts", pickle(repeated("}N", 1000000) + "N" + repeated("s", 1000000)), "levels deep"},
      {"a million open MARKs", pickle(repeated("(", 1000000)), "the stack is empty"},
      {"three million lists", pickle(repeated("]", 3000000)), "values"},
      {"nine million steps", pickle(repeated("N", 9000000)), "steps"},
      {"a million jumps in the memo", pickle(jumps), "out of order"},
      {"a list copied a thousand times",
       pickle("](" + repeated("K\1K\1\x86", 100000) + "e\x85q\1" + "0" +
              repeated("ccollections\nOrderedDict\nh\1R0", 1000) + "N"),
       "steps"},
      {"a dict that holds itself", pickle("}q\1(" + text("state_dict") + "h\1u"), "holds no tensors"},
      {"a list that holds itself", pickle("]q\1h\1a"), "holds a list"},
      {"a module that is its own child",
       pickle(start + dict({{"_parameters", "}"}, {"_modules", dict({{"a", "h\1"}})}}) + "b"),
       "nested more than 100 levels deep"},
      {"modules nested 101 deep", pickle(deep), "nested more than 100 levels deep"},
      {"a module shared 2^60 times", pickle(doubled), "endlessly"},
  });
}

TEST_CASE("io: hostile modules and state_dicts", "[io]") {
  check_refused({
      {"the root is a tensor", pickle(tensor()), "holds a tensor"},
      {"the root is None", pickle("N"), "holds None"},
      {"the root is text", pickle(text("a")), "holds a string"},
      {"the root is an object that is no module", pickle(object("nets", "Net", "}")), "which is no module"},
      {"a dict without tensors", pickle(dict({{"epoch", number(3)}})), "its keys: \"epoch\""},
      {"the name of a tensor is an int", pickle("}(K\1" + tensor() + "u"), "the name of a tensor is an int"},
      {"a parameter is an int", pickle(module_of(dict({{"w", number(1)}}), "}", "}")), "\"w\" is an int"},
      {"the name of a parameter is an int", pickle(module_of("}(K\1" + tensor() + "u", "}", "}")), "is an int"},
      {"the buffers are a list", pickle(module_of("}", "]", "}")), "not a dict"},
      {"a child is a tensor", pickle(module_of("}", "}", dict({{"a", tensor()}}))), "is a tensor, not a module"},
      {"a child is a dict", pickle(module_of("}", "}", dict({{"a", "}"}}))), "is a dict, not a module"},
      {"the name of a child is an int", pickle(module_of("}", "}", "}(K\1" + module_of("}", "}", "}") + "u")),
       "the name of a child is an int"},
      {"a wrong tensor in the state of the optimiser",
       pickle(dict({{"state_dict", dict({{"w", tensor()}})}, {"optimizer", tensor({.sizes = {9}})}})),
       "reaches element 8"},
  });
}

TEST_CASE("io: hostile tensors", "[io]") {
  check_refused({
      {"a size beyond 64 bits", rebuilt({s, zero, tuple({beyond}), one, no, hooks}), "beyond 64 bits"},
      {"a stride beyond 64 bits", rebuilt({s, zero, shape, tuple({beyond}), no, hooks}), "beyond 64 bits"},
      {"an offset beyond 64 bits", rebuilt({s, beyond, shape, one, no, hooks}), "beyond 64 bits"},
      {"a storage size beyond 64 bits",
       rebuilt({tuple({text("storage"), global("torch", "FloatStorage"), text("0"), text("cpu"), beyond}) + "Q", zero,
                shape, one, no, hooks}),
       "('storage', class, key, location, size)"},
      {"a negative size", weight({.sizes = {-2}}), "is -2"},
      {"a negative stride", weight({.strides = {-1}}), "is -1"},
      {"a negative offset", weight({.offset = -1}), "is -1"},
      {"a negative storage size", weight({.stored = -2}), "claims -2 elements"},
      {"a storage size of 2^62 elements", weight({.stored = 1ll << 62}), "claims 4611686018427387904 elements"},
      {"65 dimensions",
       weight({.sizes = std::vector<std::int64_t>(65, 1), .strides = std::vector<std::int64_t>(65, 1)}),
       "has 65 dimensions"},
      {"more strides than sizes", weight({.strides = {1, 1}}), "has 1 sizes and 2 strides"},
      {"more sizes than strides", weight({.sizes = {2, 1}}), "has 2 sizes and 1 strides"},
      {"a size past the storage", weight({.sizes = {3}}), "reaches element 2 of a storage of 2"},
      {"a stride past the storage", weight({.strides = {2}}), "reaches element 2 of a storage of 2"},
      {"an offset past the storage", weight({.offset = 1}), "reaches element 2 of a storage of 2"},
      {"an offset past an empty storage of a 0-dim tensor",
       torch_file(pickled(dict({{"w", tensor({.sizes = {}, .strides = {}, .stored = 0})}})), {""}),
       "reaches element 0 of a storage of 0"},
      {"sizes and strides that overflow", weight({.sizes = {1ll << 40}, .strides = {1ll << 40}}), "beyond 64 bits"},
      {"sizes whose product overflows", weight({.sizes = {1ll << 40, 1ll << 40}, .strides = {0, 0}}), "beyond 64 bits"},
      {"an offset that overflows", weight({.offset = INT64_MAX}), "beyond 64 bits"},
      {"4 bytes that claim 2^40 elements", weight({.sizes = {1ll << 40}, .strides = {0}}), "far more memory"},
      {"a thousand tensors of 2^30 elements over 4 bytes",
       pickle("}(" + repeated(text("w") + tensor({.sizes = {1 << 30}, .strides = {0}}), 1000) + "u"),
       "far more memory"},
      {"a record shorter than its storage", weight({.stored = 3}), "holds 8 bytes and a FloatStorage"},
      {"a record longer than its storage", weight({.sizes = {1}, .stored = 1}), "holds 8 bytes and a FloatStorage"},
      {"a record of half the type", weight({.type = "DoubleStorage"}), "needs 16"},
      {"a key without a record", weight({.key = "1"}), "data/1: there is no such record"},
      {"a key with a slash", weight({.key = "../data/0"}), "there is no such record"},
      {"an absolute key", weight({.key = "/etc/passwd"}), "there is no such record"},
      {"a key with a line break", weight({.key = "0\n"}), "data/0\\x0a: there is no such record"},
      {"an unknown class of storage", weight({.type = "QInt8Storage"}), "\"torch.QInt8Storage\", which is not read"},
      {"a storage of another module", weight({.module = "net"}), "\"net.FloatStorage\", which is not read"},
      {"an untyped storage of torch", weight({.type = "UntypedStorage"}), "\"torch.UntypedStorage\""},
      {"two classes of one storage", pickle(dict({{"a", tensor()}, {"b", tensor({.type = "IntStorage"})}})),
       "is a FloatStorage for one tensor and a IntStorage for another"},
      {"two sizes of one storage", pickle(dict({{"a", tensor()}, {"b", tensor({.sizes = {1}, .stored = 1})}})),
       "holds 8 bytes"},
      {"too few arguments", rebuilt({s, zero, shape, one, no}), "is made from 5 arguments; it takes 6"},
      {"too many arguments", rebuilt({s, zero, shape, one, no, hooks, "N", "N"}), "is made from 8 arguments"},
      {"the old function with too many arguments", rebuilt({s, zero, shape, one, no}, "_rebuild_tensor"),
       "is made from 5 arguments; it takes 4"},
      {"a storage that is None", rebuilt({"N", zero, shape, one, no, hooks}), "its storage is None"},
      {"a storage that is text", rebuilt({text("0"), zero, shape, one, no, hooks}), "its storage is a string"},
      {"a storage that is a tensor", rebuilt({tensor(), zero, shape, one, no, hooks}), "its storage is a tensor"},
      {"a persistent id that is no tuple", rebuilt({"K\1Q", zero, shape, one, no, hooks}), "is not described as"},
      {"a persistent id that is a list", rebuilt({"]Q", zero, shape, one, no, hooks}), "is not described as"},
      {"a persistent id of four",
       rebuilt({tuple({text("storage"), global("torch", "FloatStorage"), text("0"), text("cpu")}) + "Q", zero, shape,
                one, no, hooks}),
       "is not described as"},
      {"a persistent id of six in a zip file",
       rebuilt({tuple({text("storage"), global("torch", "FloatStorage"), text("0"), text("cpu"), number(2), "N"}) + "Q",
                zero, shape, one, no, hooks}),
       "is not described as"},
      {"a persistent id of another kind",
       rebuilt({tuple({text("module"), global("torch", "FloatStorage"), text("0"), text("cpu"), number(2)}) + "Q", zero,
                shape, one, no, hooks}),
       "is not described as"},
      {"an offset that is text", rebuilt({s, text("0"), shape, one, no, hooks}), "is a string"},
      {"an offset that is a float", rebuilt({s, "G" + std::string(8, '\0'), shape, one, no, hooks}), "is a float"},
      {"a size that is a bool", rebuilt({s, zero, tuple({"\x88"}), one, no, hooks}), "is a bool"},
      {"sizes in a list", rebuilt({s, zero, "](K\2e", one, no, hooks}), "its sizes or strides are a list"},
      {"sizes that are an int", rebuilt({s, zero, "K\2", one, no, hooks}), "its sizes or strides are an int"},
      {"metadata that is an int", rebuilt({s, zero, shape, one, no, hooks, "K\1"}), "its metadata is an int"},
      {"a dtype that is text", rebuilt({s, zero, shape, one, no, hooks, text("float32")}, "_rebuild_tensor_v3"),
       "its dtype is a string"},
      {"a quantized dtype", rebuilt({s, zero, shape, one, no, hooks, global("torch", "quint8")}, "_rebuild_tensor_v3"),
       "\"quint8\", which is not read"},
      {"a dtype of another module",
       rebuilt({s, zero, shape, one, no, hooks, global("nets", "float32")}, "_rebuild_tensor_v3"), "its dtype is"},
      {"a dtype wider than its storage",
       rebuilt({s, zero, shape, one, no, hooks, global("torch", "float64")}, "_rebuild_tensor_v3"),
       "reaches element 1 of a storage of 1"},
      {"a negated view in 8-bit floating point",
       rebuilt({s, zero, shape, one, no, hooks, global("torch", "float8_e5m2"), dict({{"neg", "\x88"}})},
               "_rebuild_tensor_v3"),
       "is a negated view of float8_e5m2"},
  });
}
