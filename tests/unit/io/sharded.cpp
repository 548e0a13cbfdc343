// Weights in several files beside an index, as Hugging Face's libraries save large models.
#include "hand_built.hpp"
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <filesystem>

using namespace hand_built;
using Catch::Matchers::ContainsSubstring;

namespace {
std::string one_tensor(const std::string& name, float value) {
  const std::string header = "{\"" + name + R"(":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  return u64(header.size()) + header + floats({value});
}

/// A folder with two files and an index of that content, which is read.
struct Folder {
  std::string path;
  Folder() {
    char name[] = "/tmp/lamina_io_XXXXXX";
    path = mkdtemp(name);
    write("1.safetensors", one_tensor("a", 1));
    write("2.safetensors", one_tensor("b", 2));
    write("3.pt", torch_file(pickled(dict({{"c", tensor()}})), {floats({3, 4})}));
  }
  ~Folder() { std::filesystem::remove_all(path); }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path + "/" + name, std::ios::binary) << bytes;
  }
  lamina::io::StateDict read(const std::string& index) const {
    write("index.json", index);
    return lamina::io::read_state_dict(path + "/index.json");
  }
  std::string refusal(const std::string& index) const {
    try {
      touch(read(index));
    } catch (const lamina::checkpoint_error& error) { return error.what(); }
    return "";
  }
};
}  // namespace

TEST_CASE("io: an index names the files of its tensors, in its own order", "[io]") {
  const Folder folder;
  const auto tensors = folder.read(R"({"metadata":{"total_size":16,"more":[null,true,-1.5e3,{"x":""}]},)"
                                   R"("weight_map":{"b":"2.safetensors","a":"1.safetensors","c":"3.pt"}})"
                                   "\n");
  CHECK(keys(tensors) == std::vector<std::string>{"b", "a", "c"});
  CHECK(elements(tensors[0]) == std::vector<float>{2});
  CHECK(elements(tensors[1]) == std::vector<float>{1});
  CHECK(elements(tensors[2]) == std::vector<float>{3, 4});
  CHECK(tensors.path() == folder.path + "/index.json");
}

TEST_CASE("io: an index that does not fit its files is refused", "[io]") {
  const Folder folder;
  const auto map = [&](const std::string& entries) { return folder.refusal(R"({"weight_map":{)" + entries + "}}"); };
  CHECK(map(R"("a":"1.safetensors")") == "");
  CHECK_THAT(map(R"("x":"1.safetensors")"), ContainsSubstring("tensor \"x\": is not in \"1.safetensors\""));
  CHECK_THAT(map(R"("c":"3.pt","a":"3.pt")"), ContainsSubstring("tensor \"a\": is not in \"3.pt\""));
  CHECK_THAT(map(R"("a":"9.safetensors")"), ContainsSubstring("9.safetensors: cannot be opened"));
  CHECK_THAT(map(R"("a":"1.safetensors","a":"1.safetensors")"), ContainsSubstring("two tensors of the name \"a\""));
  CHECK_THAT(map(R"("a":"index.json")"), ContainsSubstring("is JSON, not weights"));
  for (const char* outside :
       {"", "..", "../1.safetensors", "/etc/passwd", "..\\\\1.safetensors", "1.safetensors\\u0000"})
    CHECK_THAT(map(R"("a":")" + std::string(outside) + '"'), ContainsSubstring("is not the name of a file"));
  folder.write("1.safetensors", one_tensor("a", 1).substr(0, 60));
  CHECK_THAT(map(R"("a":"1.safetensors")"), ContainsSubstring("1.safetensors: "));
  folder.write("1.safetensors", one_tensor("other", 1));
  CHECK_THAT(map(R"("b":"2.safetensors","c":"1.safetensors")"), ContainsSubstring("tensor \"c\": is not in"));
}

TEST_CASE("io: every tensor of a file must be in the index", "[io]") {
  const Folder folder;
  folder.write("4.pt", torch_file(pickled(dict({{"a", tensor()}, {"b", tensor()}})), {floats({3, 4})}));
  CHECK_THAT(folder.refusal(R"({"weight_map":{"a":"4.pt"}})"), ContainsSubstring("tensor \"b\": the index does not"));
}

TEST_CASE("io: JSON that is no index is refused", "[io]") {
  const Folder folder;
  CHECK_THAT(folder.refusal(R"({"format":"pt"})"), ContainsSubstring("JSON without a weight_map"));
  CHECK_THAT(folder.refusal(R"({"weight_map":{},"weight_map":{}})"), ContainsSubstring("two weight_maps"));
  CHECK_THAT(folder.refusal(R"({"weight_map":[]})"), ContainsSubstring("expected {"));
  CHECK_THAT(folder.refusal(R"({"weight_map":{}} x)"), ContainsSubstring("something follows"));
  CHECK_THAT(folder.refusal("{\"x\":" + std::string(200, '[')), ContainsSubstring("100 levels"));
  CHECK_THAT(folder.refusal("{\"x\":"), ContainsSubstring("expected a value"));
  CHECK_THAT(folder.refusal("{\"x\":\"\xff\"}"), ContainsSubstring("not UTF-8"));
}
