// PyTorch's and safetensors' own files, and files that are neither.
#include "hand_built.hpp"
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <filesystem>

using namespace hand_built;
using Catch::Matchers::ContainsSubstring;
using lamina::io::read_state_dict;

namespace {
const std::string data = LAMINA_TEST_DATA "/";

std::vector<char> raw(const lamina::io::TensorRecord& tensor) {
  std::vector<char> bytes(static_cast<std::size_t>(tensor.numel()) * lamina::item_size(tensor.dtype));
  lamina::io::copy_elements(tensor, tensor.dtype, bytes.data());
  return bytes;
}

// Every tensor of `path`, without `prefix`, equals the reference's bit for bit.
void check_equal(const std::string& path, const std::string& reference_path, const std::string& prefix) {
  INFO(path);
  const auto tensors = read_state_dict(data + path), reference = read_state_dict(data + reference_path);
  CHECK(tensors.size() == reference.size());
  for (const auto& tensor : tensors) {
    INFO(tensor.name);
    REQUIRE(tensor.name.substr(0, prefix.size()) == prefix);
    const auto* expected = reference.find(std::string_view(tensor.name).substr(prefix.size()));
    REQUIRE(expected);
    CHECK(lamina::dtype_name(tensor.dtype) == lamina::dtype_name(expected->dtype));
    CHECK(tensor.shape == expected->shape);
    CHECK(raw(tensor) == raw(*expected));
  }
}
}  // namespace

TEST_CASE("io: PyTorch's state_dicts equal what safetensors wrote of them", "[io]") {
  for (const char* name :
       {"mlp_positional", "mlp_named", "module_dict", "module_list", "resnet_basic", "resnet_bottleneck"})
    check_equal(name + std::string("/state_dict.pt"), name + std::string("/weights.safetensors"), "");
  for (const char* file : {"dict.pt", "ordered.pt"})
    check_equal(std::string("odd_tensors/") + file, "odd_tensors/weights.safetensors", "");
  for (const char* net : {"unet_bilinear", "unet_transposed"})
    check_equal(net + std::string("/checkpoint_epoch5.pth"), net + std::string("/weights.safetensors"), "");
  check_equal("training_checkpoint/checkpoint.pth.tar", "training_checkpoint/weights.safetensors", "module.");
}

TEST_CASE("io: PyTorch's whole models equal their state_dicts", "[io]") {
  for (const char* name :
       {"mlp_positional", "mlp_named", "module_dict", "module_list", "resnet_basic", "unet_bilinear"})
    check_equal(name + std::string("/model.pth"), name + std::string("/weights.safetensors"), "");
}

TEST_CASE("io: files from one, two or other cards are read on any", "[io]") {
  for (const char* file : {"state_dict.pt", "state_dict_gpu1.pt", "model_cpu.pth", "model_2gpu.pth"})
    check_equal(std::string("data_parallel/") + file, "data_parallel/weights.safetensors", "module.");
  check_equal("data_parallel/split_over_cards.pt", "data_parallel/weights.safetensors", "");
}

TEST_CASE("io: keys come in PyTorch's order", "[io]") {
  const std::vector<std::string> expected{"scale",           "shift",         "layers.0.weight", "layers.0.bias",
                                          "layers.1.weight", "layers.1.bias", "layers.2.weight", "layers.2.bias",
                                          "layers.3.weight", "layers.3.bias"};
  CHECK(keys(read_state_dict(data + "module_list/state_dict.pt")) == expected);
  CHECK(keys(read_state_dict(data + "module_list/model.pth")) == expected);
}

TEST_CASE("io: PyTorch's versions of modules are kept", "[io]") {
  const auto tensors = read_state_dict(data + "mlp_named/state_dict.pt");
  CHECK(tensors.version("bn1") == 2);
  CHECK(tensors.version("fc1") == 1);
  CHECK(tensors.version("") == 1);
}

TEST_CASE("io: hostile files are refused with their path", "[io]") {
  int count = 0;
  for (const auto& file : std::filesystem::directory_iterator(data + "hostile")) {
    INFO(file.path());
    ++count;
    CHECK_THROWS_AS(read_state_dict(file.path()), lamina::checkpoint_error);
    try {
      read_state_dict(file.path());
    } catch (const lamina::checkpoint_error& error) {
      CHECK_THAT(error.what(), ContainsSubstring(file.path().string() + ": "));
    }
  }
  CHECK(count > 0);
}

TEST_CASE("io: a file that is something else is told so", "[io]") {
  CHECK(refusal("") == "is empty");
  CHECK_THAT(refusal("version https://git-lfs.github.com/spec/v1\noid sha256:0"), ContainsSubstring("git-lfs"));
  CHECK_THAT(refusal("\n <!DOCTYPE html><html>"), ContainsSubstring("web page"));
  CHECK_THAT(refusal("\x1f\x8b\x08 and more"), ContainsSubstring("gzip"));
  CHECK_THAT(refusal(std::string(257, 'a') + "ustar" + std::string(300, '\0')), ContainsSubstring("tar archive"));
  CHECK_THAT(refusal("abc"), ContainsSubstring("no weight file"));
  CHECK_THAT(refusal("\x80\2}."), ContainsSubstring("Python pickle that torch.save did not write"));
  CHECK_THROWS_AS(read_state_dict("/nowhere/net.pt"), lamina::checkpoint_error);
  CHECK_THROWS_AS(read_state_dict("/tmp"), lamina::checkpoint_error);
  CHECK_THROWS_AS(read_state_dict("/dev/null"), lamina::checkpoint_error);
}

TEST_CASE("io: names that cannot be printed are escaped and shortened in messages", "[io]") {
  CHECK(lamina::io::text_of({lamina::io::quoted_name("a\n\x1b[31m")}) == "\"a\\x0a\\x1b[31m\"");
  CHECK(lamina::io::text_of({lamina::io::quoted_name("\u00e9")}) == "\"\u00e9\"");
  CHECK(lamina::io::text_of({lamina::io::quoted_name("\xef\xbb")}) == "\"\\xef\\xbb\"");
  CHECK(lamina::io::text_of({lamina::io::quoted_name(std::string(200, 'a'))}) == '"' + std::string(120, 'a') + "...\"");
  CHECK(lamina::io::text_of({lamina::io::quoted_name(std::string(119, 'a') + "\u00e9\u00e9")}) ==
        '"' + std::string(119, 'a') + "...\"");
}
