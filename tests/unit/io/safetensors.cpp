// The safetensors format (huggingface/safetensors README.md): what it allows is read, everything else is refused.
#include "hand_built.hpp"
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using namespace hand_built;
using Catch::Matchers::ContainsSubstring;
using Names = std::vector<std::string>;

namespace {
std::string file_of(const std::string& header, const std::string& data = "") {
  return u64(header.size()) + header + data;
}
lamina::io::StateDict read(const std::string& header, const std::string& data = "") {
  const TemporaryFile file(file_of(header, data));
  return lamina::io::read_state_dict(file.path());
}
std::string reported(const std::string& header, const std::string& data = "") { return refusal(file_of(header, data)); }
std::string entry(const std::string& dtype, const std::string& shape, const std::string& places) {
  return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + places + "}";
}
// One tensor "w" over 8 bytes.
std::string with(const std::string& value) { return reported(R"({"w":)" + value + "}", std::string(8, '\1')); }
}  // namespace

TEST_CASE("io: a safetensors file is read in the order of its header", "[io]") {
  const auto tensors = read(R"({"__metadata__":{"format":"pt"},"b":)" + entry("F32", "[2,1]", "[8,16]") + R"(,"a":)" +
                                entry("F32", "[2]", "[0,8]") + "}   ",
                            floats({1, 2, 3, 4}));
  CHECK(keys(tensors) == Names{"b", "a"});
  CHECK(elements(tensors[0]) == std::vector<float>{3, 4});
  CHECK(elements(tensors[1]) == std::vector<float>{1, 2});
  CHECK(tensors[0].shape == std::vector<std::int64_t>{2, 1});
}

TEST_CASE("io: safetensors shapes may be empty or hold zeros, the data unaligned, the header spaced and escaped",
          "[io]") {
  const auto tensors =
      read("{ \"e\" :" + entry("F64", "[0, 3]", "[ 0 , 0 ]") + R"(,"s":)" + entry("I8", "[]", "[0,1]") +
               R"(,"\u043a\u00e9\ud83d\ude00\n":)" + entry("F32", "[1]", "[1,5]") + "\n}",
           "\x85" + floats({2}));
  CHECK(keys(tensors) == Names{"e", "s", "\u043a\u00e9\U0001f600\n"});
  CHECK(tensors[0].numel() == 0);
  CHECK(elements(tensors[1]) == std::vector<float>{-123});
  CHECK(elements(tensors[2]) == std::vector<float>{2});
  CHECK(read("{}").empty());
}

TEST_CASE("io: safetensors dtypes", "[io]") {
  const std::pair<const char*, const char*> names[] = {{"BOOL", "bool"},
                                                       {"U8", "uint8"},
                                                       {"I8", "int8"},
                                                       {"I16", "int16"},
                                                       {"U16", "uint16"},
                                                       {"F16", "float16"},
                                                       {"BF16", "bfloat16"},
                                                       {"I32", "int32"},
                                                       {"U32", "uint32"},
                                                       {"F32", "float32"},
                                                       {"F64", "float64"},
                                                       {"I64", "int64"},
                                                       {"U64", "uint64"},
                                                       {"C64", "complex64"},
                                                       {"F8_E4M3", "float8_e4m3fn"},
                                                       {"F8_E5M2", "float8_e5m2"},
                                                       {"F8_E4M3FNUZ", "float8_e4m3fnuz"},
                                                       {"F8_E5M2FNUZ", "float8_e5m2fnuz"},
                                                       {"F8_E8M0", "float8_e8m0fnu"}};
  for (const auto& [name, torch_name] : names) {
    INFO(name);
    const std::size_t sizes[] = {1, 2, 4, 8};
    int read_as = 0;
    for (const std::size_t size : sizes) {
      const std::string header = R"({"w":)" + entry(name, "[1]", "[0," + std::to_string(size) + "]") + "}";
      if (reported(header, std::string(size, '\0')) != "") continue;
      ++read_as;
      CHECK(lamina::dtype_name(read(header, std::string(size, '\0'))[0].dtype) == torch_name);
    }
    CHECK(read_as == 1);  // one item size fits
  }
  for (const char* name : {"F8", "F6_E2M3", "F6_E3M2", "F4", "f32", "", "F31"})
    CHECK_THAT(with(entry(name, "[1]", "[0,8]")), ContainsSubstring("which is not read"));
}

TEST_CASE("io: the length of a safetensors header is checked", "[io]") {
  const std::string sound = file_of(R"({"w":)" + entry("F32", "[2]", "[0,8]") + "}", std::string(8, '\0'));
  CHECK(refusal(sound) == "");
  for (const std::uint64_t length : {std::uint64_t(0), std::uint64_t(1), std::uint64_t(sound.size()),
                                     std::uint64_t(100000001), std::uint64_t(1) << 63, ~std::uint64_t(0)}) {
    INFO(length);
    CHECK(refusal(u64(length) + sound.substr(8)) != "");
  }
  for (std::size_t size = 0; size < sound.size(); ++size) CHECK(refusal(std::string_view(sound).substr(0, size)) != "");
  CHECK_THAT(refusal(sound + "x"), ContainsSubstring("end at byte 8 of the data, which has 9"));
}

TEST_CASE("io: safetensors places must fill the data exactly", "[io]") {
  const auto two = [](const std::string& a, const std::string& b) {
    return reported(R"({"a":)" + entry("F32", "[1]", a) + R"(,"b":)" + entry("F32", "[1]", b) + "}",
                    std::string(8, '\0'));
  };
  CHECK(two("[0,4]", "[4,8]") == "");
  CHECK(two("[4,8]", "[0,4]") == "");
  CHECK_THAT(two("[0,4]", "[0,4]"),
             ContainsSubstring("tensor \"b\": begins at byte 0 of the data; the tensor before it ends at 4"));
  CHECK_THAT(two("[0,4]", "[3,7]"), ContainsSubstring("begins at byte 3"));
  CHECK_THAT(two("[0,4]", "[5,9]"), ContainsSubstring("cut off"));
  CHECK_THAT(two("[4,8]", "[4,8]"), ContainsSubstring("begins at byte 4"));
  CHECK_THAT(with(entry("F32", "[2]", "[8,0]")), ContainsSubstring("lies at bytes 8 to 0"));
  CHECK_THAT(with(entry("F32", "[1]", "[0,4]")), ContainsSubstring("end at byte 4"));
  CHECK_THAT(with(entry("F32", "[3]", "[0,8]")),
             ContainsSubstring("tensor \"w\": needs 12 bytes and its data_offsets span 8"));
  CHECK_THAT(with(entry("F32", "[4611686018427387904,4]", "[0,8]")), ContainsSubstring("beyond 64 bits"));
  CHECK_THAT(with(entry("F32", "[9223372036854775807,9223372036854775807,0]", "[0,0]")),
             ContainsSubstring("beyond 64 bits"));
  CHECK_THAT(with(entry("F32", "[2]", "[0,18446744073709551615]")), ContainsSubstring("lies at bytes"));
}

TEST_CASE("io: safetensors headers are plain JSON of the known form", "[io]") {
  for (const char* shape : {"[-2]", "[2.0]", "[2e0]", "[02]", "[\"2\"]", "[+2]", "[2,]", "[,2]", "[2", "2", "null",
                            "[18446744073709551616]", "[9223372036854775808]", "[[2]]", "[true]"}) {
    INFO(shape);
    CHECK(with(entry("F32", shape, "[0,8]")) != "");
  }
  for (const char* places : {"[0]", "[]", "[0,8,8]", "[0,8.0]", "[-0,8]", "{}"}) {
    INFO(places);
    CHECK(with(entry("F32", "[2]", places)) != "");
  }
  CHECK_THAT(with(R"({"dtype":"F32","shape":[2]})"), ContainsSubstring("lacks one of"));
  CHECK_THAT(with(R"({"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]})"), ContainsSubstring("two shape"));
  CHECK_THAT(with(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":1})"), ContainsSubstring("\"more\""));
  CHECK_THAT(reported(R"({"w":)" + entry("F32", "[1]", "[0,4]") + R"(,"\u0077":)" + entry("F32", "[1]", "[4,8]") + "}",
                      std::string(8, '\0')),
             ContainsSubstring("two tensors of the name \"w\""));
  for (const char* header :
       {"{", "{}}", "{}x", "{,}", "{\"a\"}", "{\"a\":}", "{\"__metadata__\":{\"a\":1}}",
        "{\"__metadata__\":{},\"__metadata__\":{}}", "{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}",
        "{\"__metadata__\":[]}", "{\"__metadata__\":{\"a\":\"\\x\"}}", "{\"__metadata__\":{\"a\":\"\\ud800\"}}",
        "{\"__metadata__\":{\"a\":\"\\udc00\\ud800\"}}", "{\"__metadata__\":{\"a\":\"\\u12\"}}",
        "{\"__metadata__\":{\"a\":\"\t\"}}", "{\"__metadata__\":{\"a\":\"\xff\"}}", "{\"__metadata__\":{\"a\":\"",
        "{\"__metadata__\":{\"a\":\"\\"}) {
    INFO(header);
    CHECK_THAT(reported(header), ContainsSubstring("header: byte "));
  }
  CHECK_THAT(reported("{}" + std::string(1, '\0')), ContainsSubstring("something follows"));
  CHECK_THAT(reported("{\"a\":" + std::string(1000000, '[')), ContainsSubstring("expected {"));
}
