// Hostile zip archives, files of the old format, safetensors files, and files that are no weights at all, by name.
#include "hostile.hpp"

using namespace hand_built;

namespace {
using namespace std::string_literals;

// --- zip

const std::string weight = pickled(dict({{"w", tensor()}}));
/// The archive of one tensor with one of its records changed: 0 data.pkl, 1 byteorder, 2 data/0, 3 version.
template <class Change> std::string with(std::size_t index, const Change& change) {
  std::vector<Record> records = torch_records(weight, {floats({1, 2})});
  change(records[index]);
  return zip(records);
}
const std::string sound = torch_file(weight, {floats({1, 2})});
/// The end record, from its end: 22 bytes.
std::string with_end(std::size_t at, const std::string& bytes) {
  std::string archive = sound;
  return archive.replace(archive.size() - 22 + at, bytes.size(), bytes);
}
std::size_t directory() { return sound.find("PK\1\2"); }
/// The first entry of the directory, data.pkl.
std::string with_entry(std::size_t at, const std::string& bytes) {
  std::string archive = sound;
  return archive.replace(directory() + at, bytes.size(), bytes);
}
std::string with_zip64(const std::string& record, const std::string& locator) {
  const std::size_t end = sound.size() - 22;
  return sound.substr(0, end) + record + locator + sound.substr(end);
}
std::string zip64_record(std::uint64_t count, std::uint64_t size, std::uint64_t offset, std::uint64_t length = 44) {
  return "PK\6\6" + u64(length) + u16(45) + u16(45) + u32(0) + u32(0) + u64(count) + u64(count) + u64(size) +
         u64(offset);
}
std::string locator(std::uint64_t at, std::uint32_t disks = 1) { return "PK\6\7" + u32(0) + u64(at) + u32(disks); }
std::string zip64_field(const std::string& values) { return u16(1) + u16(values.size()) + values; }

// --- the old format

const std::string magic = "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", version = "\x80\2M\xe9\3.",
                  machine = pickled("}");
std::string legacy_storage(const std::string& key = "7", std::int64_t numel = 2, const std::string& view = "N") {
  return tuple({text("storage"), global("torch", "FloatStorage"), text(key), text("cpu"), number(numel), view}) + "Q";
}
std::string legacy_tensor(const std::string& storage, std::int64_t size = 2) {
  return global("torch._utils", "_rebuild_tensor_v2") +
         tuple({storage, number(0), numbers({size}), numbers({1}), "\x89", ordered_dict()}) + "R";
}
std::string key_list(const std::vector<std::string>& keys) {
  std::string list = "](";
  for (const std::string& key : keys) list += text(key);
  return pickled(list + "e");
}
std::string block(std::int64_t numel, const std::string& bytes) { return u64(std::uint64_t(numel)) + bytes; }
const std::string eight = floats({1, 2});
std::string legacy(const std::string& value, const std::string& rest = key_list({"7"}) + block(2, eight)) {
  return magic + version + machine + pickled(value) + rest;
}
const std::string old_weights = dict({{"w", legacy_tensor(legacy_storage())}});

// --- safetensors

std::string safetensors(const std::string& header, const std::string& data = std::string(8, '\1')) {
  return u64(header.size()) + header + data;
}
/// One tensor of 8 bytes.
std::string entry(const std::string& properties) { return safetensors("{\"w\":{" + properties + "}}"); }
std::string shaped(const std::string& shape, const std::string& places = "[0,8]") {
  return entry(R"("dtype":"F32","shape":)" + shape + R"(,"data_offsets":)" + places);
}
std::string both(const std::string& a, const std::string& b) {
  return safetensors(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":)" + a +
                     R"(},"b":{"dtype":"F32","shape":[1],"data_offsets":)" + b + "}}");
}
const std::string usual = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";
}  // namespace

TEST_CASE("io: the files that hostile ones are made from are read", "[io]") {
  CHECK(refusal(sound) == "");
  CHECK(refusal(with_zip64(zip64_record(4, sound.size() - 22 - directory(), directory()),
                           locator(sound.size() - 22))) == "");
  CHECK(refusal(legacy(old_weights)) == "");
  CHECK(refusal(legacy(
            dict({{"w", legacy_tensor(legacy_storage("7", 2, tuple({text("8"), number(1), number(1)})), 1)}}))) == "");
  CHECK(refusal(entry(usual)) == "");
  CHECK(refusal(both("[0,4]", "[4,8]")) == "");
}

TEST_CASE("io: hostile zip archives", "[io]") {
  const auto size = [](Record& r, std::uint32_t value) { r.size = r.packed_size = value; };
  const auto cut = [](std::size_t bytes) { return sound.substr(0, sound.size() - bytes); };
  check_refused({
      {"cut off by a byte", cut(1), "the end of the zip archive is missing"},
      {"cut off in its directory", sound.substr(0, directory() + 50), "the end of the zip archive is missing"},
      {"cut off in the first record", sound.substr(0, 20), "the end of the zip archive is missing"},
      {"four bytes", "PK\3\4", "the end of the zip archive is missing"},
      {"only an end record", sound.substr(sound.size() - 22), "an empty zip archive"},
      {"no records counted", "PK\3\4" + with_end(8, u32(0)).substr(4), "is an empty zip archive"},
      {"a comment past the end", with_end(20, u16(9)), "its comment reaches past the end"},
      {"a second disk", with_end(4, u16(1)), "several disks"},
      {"a directory on a second disk", with_end(6, u16(1)), "several disks"},
      {"two counts that differ", with_end(8, u16(3)), "its two counts of records differ"},
      {"a count that is too small", with_end(8, u16(3) + u16(3)), "holds more than the 3 records it counts"},
      {"a count that is too large", with_end(8, u16(5) + u16(5)), "too short for 5 records"},
      {"a count beyond the directory", with_end(8, u16(9999) + u16(9999)), "too short for 9999 records"},
      {"a directory past the end", with_end(16, u32(0x7fffffff)), "the directory should take"},
      {"a directory that is too long", with_end(12, u32(0x7fffffff)), "the directory should take"},
      {"a directory that is too short", with_end(12, u32(60)), "the directory should take"},
      {"a count that says zip64, and none", with_end(8, u16(0xffff) + u16(0xffff)), "there is none"},
      {"an offset that says zip64, and none", with_end(16, u32(0xffffffff)), "there is none"},
      {"an entry without its signature", with_entry(0, "PK\1\3"), "directory entry 0: is missing or damaged"},
      {"a name past the directory", with_entry(28, u16(0xffff)), "reaches past the end of the directory"},
      {"an extra field past the directory", with_entry(30, u16(0xffff)), "reaches past the end of the directory"},
      {"a comment of an entry past the directory", with_entry(32, u16(0xffff)),
       "reaches past the end of the directory"},
      {"a record on a second disk", with_entry(34, u16(1)), "data.pkl: the archive spans several disks"},
      {"a record past the end", with_entry(42, u32(0x7fffffff)), "data.pkl: lies outside the file"},
      {"a record that begins in the directory", with_entry(42, u32(std::uint32_t(directory()))),
       "data.pkl: lies outside"},
      {"a record that is no record", with_entry(42, u32(3)), "data.pkl: there is no record at 3"},
      {"encryption", with(2, [](Record& r) { r.flags = 1; }), "data/0: is encrypted"},
      {"strong encryption", with(2, [](Record& r) { r.flags = 0x41; }), "data/0: is encrypted"},
      {"a masked header", with(2, [](Record& r) { r.flags = 0x2000; }), "data/0: is encrypted"},
      {"flags that nobody writes", with(2, [](Record& r) { r.flags = 0x10; }), "features that PyTorch never writes"},
      {"encryption that only the directory tells", with_entry(8, u16(1)), "data.pkl: is encrypted"},
      {"deflate", with(2, [](Record& r) { r.method = 8; }), "data/0: is compressed (method 8)"},
      {"LZMA", with(0, [](Record& r) { r.method = 14; }), "data.pkl: is compressed (method 14)"},
      {"deflate that only the record tells", with_entry(10, u16(8)), "is compressed"},
      {"a wrong checksum", with(2, [](Record& r) { r.crc = 1; }), "data/0: its checksum (CRC-32) is wrong"},
      {"a wrong checksum of the pickle", with(0, [](Record& r) { r.crc = 1; }), "data.pkl: its checksum"},
      {"two sizes that differ", with(2, [](Record& r) { r.size = 7; }), "its two sizes differ"},
      {"a record that reaches past the others", with(3, [&](Record& r) { size(r, 9); }), "reaches past the records"},
      {"a record of 4 GiB", with(2, [&](Record& r) { size(r, 0xfffffffe); }), "reaches past the records"},
      {"records that overlap", with(0, [&](Record& r) { size(r, std::uint32_t(weight.size() + 8)); }),
       "overlaps another"},
      {"two records of one name", with(3, [](Record& r) { r.name = r.local_name = "a/data/0"; }),
       "two records of this name"},
      {"two names that differ in case", with(3, [](Record& r) { r.name = r.local_name = "a/DATA/0"; }),
       "two records of this name"},
      {"another name in the record", with(2, [](Record& r) { r.local_name = "a/data/9"; }),
       "has another name: \"a/data/9\""},
      {"a longer name in the record", with(2, [](Record& r) { r.local_name = "a/data/00"; }), "has another name"},
      {"a name of 64 KiB in the record", with(2, [](Record& r) { r.local_name = std::string(65535, 'a'); }),
       "has another name"},
      {"an absolute name", with(2, [](Record& r) { r.name = r.local_name = "/etc/passwd"; }), "is not in the folder"},
      {"a name that leaves the folder", with(2, [](Record& r) { r.name = r.local_name = "../data/0"; }),
       "is not in the folder"},
      {"a record beside the folder", with(2, [](Record& r) { r.name = r.local_name = "b/data/0"; }),
       "is not in the folder"},
      {"records without a folder", with(0, [](Record& r) { r.name = r.local_name = "data.pkl"; }),
       "is not in the folder"},
      {"an extra field that is cut off", with(2, [](Record& r) { r.extra = "\1"; }), "its extra field is cut off"},
      {"an extra field past its end", with(2, [](Record& r) { r.extra = u16(1) + u16(9); }),
       "its extra field is cut off"},
      {"a zip64 size and no field", with(2, [&](Record& r) { size(r, 0xffffffff); }), "zip64 field and there is none"},
      {"a zip64 field that is too short",
       with(2, [&](Record& r) { size(r, 0xffffffff), r.extra = zip64_field(u64(8)); }), "its zip64 field is too short"},
      {"two zip64 fields", with(2, [](Record& r) { r.extra = zip64_field("") + zip64_field(""); }), "two zip64 fields"},
      {"a zip64 size of 2^63",
       with(2, [&](Record& r) { size(r, 0xffffffff), r.extra = zip64_field(u64(1ull << 63) + u64(1ull << 63)); }),
       "reaches past the records"},
      {"a zip64 record that is nowhere", with_zip64("", locator(1 << 20)), "there is no zip64 record at 1048576"},
      {"a zip64 record somewhere else", with_zip64(zip64_record(4, 0, 0), locator(0)), "there is no zip64 record at 0"},
      {"a zip64 record of a wrong length", with_zip64(zip64_record(4, 0, 0, 45), locator(sound.size() - 22)),
       "its length is wrong"},
      {"a zip64 record that disagrees", with_zip64(zip64_record(5, 0, 0), locator(sound.size() - 22)),
       "disagrees with the end record"},
      {"a zip64 archive on two disks", with_zip64(zip64_record(4, 0, 0), locator(sound.size() - 22, 2)),
       "several disks"},
      {"TorchScript", with(1, [](Record& r) { r.name = r.local_name = "a/constants.pkl"; }),
       "is a TorchScript program"},
      {"no pickle", with(0, [](Record& r) { r.name = r.local_name = "a/data.txt"; }), "without data.pkl"},
      {"no version", with(3, [](Record& r) { r.name = r.local_name = "a/revision"; }), "without a record `version`"},
      {"version 0", with(3, [&](Record& r) { r.bytes[0] = '0'; }), "the version of the file format is \"0\""},
      {"version 11", with(3, [&](Record& r) { r.bytes = "11"; }), "the version of the file format is \"11\""},
      {"a version that is no number", with(3, [&](Record& r) { r.bytes[0] = 'x'; }), "the version of the file format"},
      {"an unknown byte order", with(1, [](Record& r) { r.bytes = "middle"; }), "neither little nor big"},
      {"no record of the storage", with(2, [](Record& r) { r.name = r.local_name = "a/data/1"; }),
       "data/0: there is no such record"},
  });
}

TEST_CASE("io: hostile files of the old format", "[io]") {
  const std::string whole = legacy(old_weights), view = tuple({text("8"), number(1), number(2)});
  const auto of = [](const std::string& storage) { return legacy(dict({{"w", legacy_tensor(storage)}})); };
  check_refused({
      {"another pickle", pickled(dict({{"w", "N"}})), "a Python pickle that torch.save did not write"},
      {"another magic number", "\x80\2\x8a\x0a\x6d\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19." + whole.substr(15),
       "a Python pickle that torch.save did not write"},
      {"a program in the first pickle", pickled(global("os", "system") + text("id") + "\x85R"), "\"os.system\""},
      {"a program in the third pickle", magic + version + pickled(global("os", "system")), "\"os.system\""},
      {"a program in the list of keys", legacy(old_weights, pickled(global("os", "system"))), "\"os.system\""},
      {"only the magic number", magic, "needs 1 more bytes"},
      {"another version", magic + pickled("M\xe8\3") + whole.substr(magic.size() + version.size()), "1001"},
      {"a version that is text", magic + pickled(text("1001")) + machine, "1001"},
      {"no description of the machine", magic + version + pickled("N") + pickled(old_weights), "the third pickle"},
      {"no object", magic + version + machine, "needs 1 more bytes"},
      {"no list of keys", legacy(old_weights, ""), "needs 1 more bytes"},
      {"keys that are no list", legacy(old_weights, pickled("}")), "the fifth pickle"},
      {"a key that is an int", legacy(old_weights, pickled("](K\7e") + block(2, eight)), "something that is no key"},
      {"a key that nothing uses", legacy(old_weights, key_list({"8"}) + block(2, eight)),
       "storage 8: no tensor uses it"},
      {"a key listed twice", legacy(old_weights, key_list({"7", "7"}) + block(2, eight) + block(2, eight)),
       "storage 7: there are two storages of this key"},
      {"a storage that is not listed", legacy(old_weights, key_list({})), "storage 7: there is no such record"},
      {"no bytes at all", legacy(old_weights, key_list({"7"})), "storage 7: is missing"},
      {"a length that is cut off", legacy(old_weights, key_list({"7"}) + "\2\0\0"s), "storage 7: is missing"},
      {"bytes that are cut off", legacy(old_weights, key_list({"7"}) + block(2, eight.substr(1))), "it is cut off"},
      {"more elements than the storage", legacy(old_weights, key_list({"7"}) + block(3, eight + "abcd")),
       "has 3 elements"},
      {"fewer elements than the storage", legacy(old_weights, key_list({"7"}) + block(1, eight)), "has 1 elements"},
      {"a negative number of elements", legacy(old_weights, key_list({"7"}) + block(-2, eight)), "has -2 elements"},
      {"2^60 elements", legacy(old_weights, key_list({"7"}) + block(1ll << 60, eight)), "has 1152921504606846976"},
      {"2^60 elements on both sides",
       legacy(dict({{"w", legacy_tensor(legacy_storage("7", 1ll << 60))}}), key_list({"7"}) + block(1ll << 60, eight)),
       "it is cut off"},
      {"2^62 elements on both sides",
       legacy(dict({{"w", legacy_tensor(legacy_storage("7", 1ll << 62))}}), key_list({"7"}) + block(1ll << 62, eight)),
       "claims 4611686018427387904 elements"},
      {"a persistent id of five", of(storage({.key = "7"})), "is not described as"},
      {"a view past its storage", of(legacy_storage("7", 2, view)), "a view of 2 elements from 1 reaches outside"},
      {"a view from before its storage", of(legacy_storage("7", 2, tuple({text("8"), number(-1), number(2)}))),
       "a view of 2 elements from -1 reaches outside"},
      {"a view of negative size", of(legacy_storage("7", 2, tuple({text("8"), number(1), number(-1)}))),
       "a view of -1 elements from 1 reaches outside"},
      {"a view of 2^63 - 1 elements", of(legacy_storage("7", 2, tuple({text("8"), number(1), number(INT64_MAX)}))),
       "reaches outside"},
      {"a view that is an int", of(legacy_storage("7", 2, "K\1")), "its view is not described as"},
      {"a view of two", of(legacy_storage("7", 2, tuple({text("8"), number(1)}))), "its view is not described as"},
      {"a tensor past a view", of(legacy_storage("7", 2, tuple({text("8"), number(1), number(1)}))),
       "reaches element 1 of a storage of 1"},
      {"a tensor past its storage", legacy(dict({{"w", legacy_tensor(legacy_storage(), 3)}})),
       "reaches element 2 of a storage of 2"},
      {"two sizes of one storage",
       legacy(dict({{"w", legacy_tensor(legacy_storage())}, {"v", legacy_tensor(legacy_storage("7", 1), 1)}})),
       "storage 7: "},
      {"a user's class with its source called",
       legacy(tuple({text("module"), global("nets", "make"), text("f"), text("s")}) + "Q)R"),
       "asks to call \"nets.make\""},
  });
}

TEST_CASE("io: hostile safetensors files", "[io]") {
  const std::string good = entry(usual);
  check_refused({
      {"no whole length", "\1\0\0\0\0\0\0"s, "no weight file"},
      {"a header of 100000001 bytes", u64(100000001) + good.substr(8), "100000000 are the limit"},
      {"a header of 2^64 - 1 bytes", u64(~0ull) + good.substr(8), "100000000 are the limit"},
      {"a header longer than the file", u64(5000) + good.substr(8), "is cut off: the header takes 5000 bytes"},
      {"a header that ends in the middle", u64(20) + good.substr(8), "header: byte"},
      {"a byte order mark", safetensors("\xef\xbb\xbf{}"), "would begin with {"},
      {"an array", safetensors("[]"), "would begin with {"},
      {"a header that is no UTF-8", safetensors("{\"\xff\":1}"), "is not UTF-8"},
      {"a NUL in the header", safetensors("{\"w\":{" + usual + "}\0}"s), "expected }"},
      {"a tensor that is a number", safetensors("{\"w\":1}"), "expected {"},
      {"a name without quotes", safetensors("{w:{" + usual + "}}"), "expected \""},
      {"a name without an end", safetensors("{\"w"), "a string without an end"},
      {"a control character in a name", safetensors("{\"a\nb\":{" + usual + "}}"), "a control character"},
      {"an unknown escape", safetensors("{\"\\x\":{" + usual + "}}"), "an unknown escape"},
      {"half a surrogate pair", safetensors("{\"\\ud800\":{" + usual + "}}"), "half a surrogate pair"},
      {"an escape that is cut off", safetensors("{\"\\u00"), "hexadecimal digits"},
      {"something after the header", safetensors("{\"w\":{" + usual + "}}x"), "something follows the closing }"},
      {"a comma before the end", safetensors("{\"w\":{" + usual + "},}"), "expected \""},
      {"a million open braces", safetensors(repeated("{\"w\":", 1000000)), "unknown property"},
      {"two tensors of one name", safetensors("{\"w\":{" + usual + "},\"w\":{" + usual + "}}"),
       "two tensors of the name"},
      {"two tensors of one name, one escaped", safetensors("{\"w\":{" + usual + "},\"\\u0077\":{" + usual + "}}"),
       "two tensors of the name"},
      {"two entries of metadata", safetensors(R"({"__metadata__":{},"__metadata__":{}})", ""), "two entries"},
      {"metadata that is no object", safetensors(R"({"__metadata__":1})", ""), "expected {"},
      {"metadata that are no text", safetensors(R"({"__metadata__":{"a":1}})", ""), "expected \""},
      {"two metadata of one name", safetensors(R"({"__metadata__":{"a":"","a":""}})", ""), "two metadata of one name"},
      {"no dtype", entry(R"("shape":[2],"data_offsets":[0,8])"), "lacks one of"},
      {"no shape", entry(R"("dtype":"F32","data_offsets":[0,8])"), "lacks one of"},
      {"no places", entry(R"("dtype":"F32","shape":[2])"), "lacks one of"},
      {"two dtypes", entry(usual + R"(,"dtype":"F32")"), "has two dtype"},
      {"two shapes", entry(usual + R"(,"shape":[2])"), "has two shape"},
      {"an unknown property", entry(usual + R"(,"more":1)"), "has an unknown property \"more\""},
      {"an unknown dtype", entry(R"("dtype":"F31","shape":[2],"data_offsets":[0,8])"),
       "the dtype \"F31\", which is not read"},
      {"a dtype of 4 bits", entry(R"("dtype":"F4","shape":[16],"data_offsets":[0,8])"),
       "the dtype \"F4\", which is not read"},
      {"a dtype that is a number", entry(R"("dtype":1,"shape":[2],"data_offsets":[0,8])"), "expected \""},
      {"a negative size", shaped("[-2]"), "expected a plain non-negative integer"},
      {"a size with a fraction", shaped("[2.0]"), "expected a plain non-negative integer"},
      {"a size with an exponent", shaped("[2e0]"), "expected a plain non-negative integer"},
      {"a size with a leading zero", shaped("[02]"), "expected a plain non-negative integer"},
      {"a size that is text", shaped("[\"2\"]"), "expected a plain non-negative integer"},
      {"a size of 2^64", shaped("[18446744073709551616]"), "a number beyond 64 bits"},
      {"a size of 2^63", shaped("[9223372036854775808]"), "a size beyond 63 bits"},
      {"sizes in sizes", shaped("[[2]]"), "expected a plain non-negative integer"},
      {"a shape that is a number", shaped("2"), "expected ["},
      {"65 dimensions", shaped("[1" + repeated(",1", 64) + "]"), "more than 64 dimensions"},
      {"sizes whose product overflows", shaped("[4611686018427387904,4]"), "beyond 64 bits"},
      {"sizes whose product overflows before a 0", shaped("[4611686018427387904,4,0]", "[0,0]"), "beyond 64 bits"},
      {"more elements than bytes", shaped("[3]"), "needs 12 bytes and its data_offsets span 8"},
      {"fewer elements than bytes", shaped("[1]"), "needs 4 bytes and its data_offsets span 8"},
      {"one place", shaped("[2]", "[0]"), "fewer than two data_offsets"},
      {"three places", shaped("[2]", "[0,8,8]"), "more than two data_offsets"},
      {"places from behind", shaped("[2]", "[8,0]"), "lies at bytes 8 to 0"},
      {"places past the end", shaped("[3]", "[0,12]"), "lies at bytes 0 to 12 of the data, which has 8"},
      {"places beyond 64 bits", shaped("[2]", "[0,18446744073709551616]"), "a number beyond 64 bits"},
      {"data that is cut off", good.substr(0, good.size() - 1), "the file is cut off"},
      {"data that no tensor takes", good + "x", "the tensors end at byte 8 of the data, which has 9"},
      {"two tensors over the same bytes", both("[0,4]", "[0,4]"), "begins at byte 0 of the data"},
      {"tensors that overlap", both("[0,4]", "[3,7]"), "begins at byte 3 of the data"},
      {"a hole between tensors",
       safetensors(
           R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})"),
       "begins at byte 4 of the data; the tensor before it ends at 3"},
      {"a hole before the first", shaped("[1]", "[4,8]"),
       "begins at byte 4 of the data; the tensor before it ends at 0"},
  });
}

TEST_CASE("io: files that are no weights", "[io]") {
  check_refused({
      {"nothing", "", "is empty"},
      {"a byte", "\x80", "needs 1 more bytes"},
      {"zeros", std::string(1000, '\0'), "is no weight file"},
      {"text", "epoch 1, loss 0.5\n", "is no weight file"},
      {"a web page", "<!DOCTYPE html><html></html>", "is a web page"},
      {"XML behind spaces", "\n  <?xml version=\"1.0\"?>", "is a web page or XML"},
      {"a git-lfs pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
       "is a git-lfs pointer"},
      {"gzip", "\x1f\x8b\x08 and more", "is compressed with gzip"},
      {"a tar archive", std::string(257, 'a') + "ustar" + std::string(300, '\0'), "is a tar archive"},
      {"HDF5", "\x89HDF\r\n\x1a\n and more", "is an HDF5 file"},
      {"GGUF", "GGUF" + u32(3) + u64(0), "is a GGUF file"},
      {"a NumPy array", "\x93NUMPY\1\0 and more"s, "is a NumPy array"},
      {"a picture", "\x89PNG\r\n\x1a\n and more", "is no weight file"},
      {"a program",
       "\x7f"
       "ELF\2\1\1 and more",
       "is no weight file"},
      {"JSON that is no index", "{\"model_type\": \"resnet\"}", "JSON without a weight_map"},
  });
}
