/// Weight files of models whose parameters are on a device. The fake traps when the host reads their memory.
#include "tensor/fake_device.hpp"
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <lamina/compose/sequential.hpp>
#include <lamina/io/load.hpp>
#include <lamina/io/save.hpp>
#include <lamina/io/whole_model.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/batch_norm.hpp>
#include <lamina/layers/conv2d.hpp>
#include <lamina/layers/flatten.hpp>
#include <lamina/layers/linear.hpp>
#include <optional>
#include <unistd.h>

using namespace lamina;

namespace {
const std::string data = LAMINA_TEST_DATA;

using Net = Sequential<named<"conv", Conv2d<3, 8, conv{.kernel_size = 3}>>, named<"bn", BatchNorm2d<8>>,
                       named<"fc", Linear<8, 5>>>;

/// A file that exists as long as this object.
struct File {
  std::string path;
  explicit File(const std::string& ending) : path("/tmp/lamina_on_device_" + std::to_string(getpid()) + ending) {}
  ~File() { std::filesystem::remove(path); }
  std::string bytes() const {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

Net on_host() {
  Net net;
  load(net, data + "/strict_same/state_dict.pt");
  return net;
}
void move_to(FakeDevice& device, auto& net) {
  for (const auto& tensor : stored_tensors(net))
    if (*tensor.storage) *tensor.storage = device.upload(*tensor.storage);
}
std::vector<std::string> values_of(const auto& net) {
  std::vector<std::string> values;
  for (const auto& tensor : stored_tensors(net)) {
    std::string bytes(tensor.storage->bytes(), ' ');
    auto* const to = reinterpret_cast<std::byte*>(bytes.data());
    if (tensor.storage->memory()) tensor.storage->memory()->copy_to_host(to, tensor.storage->data(), bytes.size());
    else std::memcpy(to, tensor.storage->data(), bytes.size());
    values.push_back(std::move(bytes));
  }
  return values;
}
bool all_on(const auto& net, const Device& device) {
  return std::ranges::all_of(stored_tensors(net), [&](const auto& t) { return t.storage->device() == device; });
}
std::size_t occurrences(const std::string& text, const std::string& word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++count;
  return count;
}
}  // namespace

TEST_CASE("a model on a device is saved as one on the host is, but for the tags of its storages") {
  FakeDevice device(1);
  const Net here = on_host();
  Net there = here;
  move_to(device, there);
  const File first(".pt"), second("_there.pt");
  save(here, first.path);
  save(there, second.path);
  Net again;
  load(again, second.path);
  CHECK(values_of(again) == values_of(here));
  // PyTorch's persistent id of a storage: ('storage', class, key, location, numel)
  CHECK(occurrences(first.bytes(), "cuda:1") == 0);
  CHECK(occurrences(second.bytes(), "cuda:1") == stored_tensors(here).size());
  CHECK(occurrences(second.bytes(), "cpu") == 0);
}

TEST_CASE("in every format and type") {
  FakeDevice device(0);
  const Net here = on_host();
  Net there = here;
  move_to(device, there);
  for (const std::string ending : {".safetensors", ".pt"})
    for (const std::optional<Dtype> dtype : {std::optional<Dtype>(), std::optional(Dtype::float16)}) {
      const File first(ending), second("_there" + ending);
      save(here, first.path, {.dtype = dtype});
      save(there, second.path, {.dtype = dtype});
      const io::StateDict expected = io::read_state_dict(first.path), got = io::read_state_dict(second.path);
      for (const auto& tensor : expected) {
        INFO(tensor.name);
        std::string a(std::size_t(tensor.numel()) * item_size(tensor.dtype), ' '), b = a;
        REQUIRE(got.find(tensor.name)->dtype == tensor.dtype);
        io::copy_elements(tensor, tensor.dtype, a.data());
        io::copy_elements(*got.find(tensor.name), tensor.dtype, b.data());
        CHECK(a == b);
      }
    }
}

TEST_CASE("tied parameters on a device stay tied in the file") {
  FakeDevice device(0);
  Sequential<Linear<2, 2, false>, Linear<2, 2, false>> net;
  net[0_c].weight.data()[1] = 3;
  move_to(device, net[0_c]);
  net[1_c].weight.storage() = net[0_c].weight.storage();
  const File file(".pt");
  save(net, file.path);
  const io::StateDict tensors = io::read_state_dict(file.path);
  CHECK(tensors.find("0.weight")->data == tensors.find("1.weight")->data);
}

TEST_CASE("a load keeps parameters where they are") {
  FakeDevice device(1);
  const Net expected = on_host();
  Net net = expected;
  for (float& w : net["fc"_m].weight.span()) w = 0;
  move_to(device, net);
  const auto version = net["fc"_m].weight.version();
  load(net, data + "/strict_same/state_dict.pt");
  CHECK(all_on(net, cuda{1}));
  CHECK(values_of(net) == values_of(expected));
  CHECK(net["fc"_m].weight.version() != version);
  CHECK(device.blocks == int(stored_tensors(net).size()));
}

TEST_CASE("a load converts on the way to the device") {
  struct Half {
    Parameter<Shape<3>, float16> weight;
  };
  struct Single {
    Parameter<Shape<3>> weight;
  } single;
  for (int i = 0; i < 3; ++i) single.weight.data()[i] = float(i) + 0.5f;
  FakeDevice device(0);
  Half half;
  half.weight.data()[0] = float16(9.f);
  move_to(device, half);
  load(half, state_dict(single));
  std::vector<float16> values(3);
  device.copy_to_host(reinterpret_cast<std::byte*>(values.data()), half.weight.storage().data(), 6);
  CHECK(std::vector<float>(values.begin(), values.end()) == std::vector<float>{0.5f, 1.5f, 2.5f});
}

TEST_CASE("weights go from model to model between devices") {
  FakeDevice first(0), second(1);
  const Net expected = on_host();
  Net source = expected, target = expected;
  move_to(first, source);
  for (float& w : target["fc"_m].weight.span()) w = 0;
  move_to(second, target);
  load(target, state_dict(source));
  CHECK(all_on(target, cuda{1}));
  CHECK(values_of(target) == values_of(expected));
  Net here;
  load(here, state_dict(target));
  CHECK(values_of(here) == values_of(expected));
  load(source, state_dict(source));  // from its own memory
  CHECK(values_of(source) == values_of(expected));
}

TEST_CASE("a load that fails on the device leaves every part of the model as it was") {
  FakeDevice device(0);
  Net net = on_host();
  for (float& w : net["fc"_m].weight.span()) w = -1;
  for (float& w : net["conv"_m].weight.span()) w = -2;
  move_to(device, net["fc"_m]);  // the rest stays on the host
  const auto values = values_of(net);
  const int blocks = device.blocks;
  for (const int copies : {0, 1}) {
    device.copies_until_failure = copies;
    CHECK_THROWS_AS(load(net, data + "/strict_same/state_dict.pt"), std::runtime_error);
    device.copies_until_failure = -1;
    CHECK(values_of(net) == values);
    CHECK(device.blocks == blocks);
  }
  CHECK_THROWS_AS(load(net, data + "/strict_shape/state_dict.pt"), load_error);
  CHECK(values_of(net) == values);
}

TEST_CASE("a save that fails on the device leaves the old file") {
  FakeDevice device(0);
  Net net = on_host();
  const File file(".pt");
  save(net, file.path);
  const std::string before = file.bytes();
  move_to(device, net);
  device.copies_until_failure = 2;
  CHECK_THROWS_AS(save(net, file.path), std::runtime_error);
  CHECK(file.bytes() == before);
}

TEST_CASE("whole models, too") {
  FakeDevice device(1);
  const Net expected = on_host();
  Net net = expected;
  move_to(device, net);
  const File file(".pt");
  save_model(net, file.path);
  Net here;
  load_model(here, file.path);
  CHECK(values_of(here) == values_of(expected));
  for (float& w : here["fc"_m].weight.span()) w = 0;
  move_to(device, here);
  load_model(here, file.path);
  CHECK(all_on(here, cuda{1}));
  CHECK(values_of(here) == values_of(expected));
}

// Files with tags cuda:0, cuda:1, and both.
TEST_CASE("which device a file names does not matter") {
  using Tagged =
      Sequential<Conv2d<2, 4, conv{.kernel_size = 3, .padding = 1}>, BatchNorm2d<4>, ReLU, Flatten<>, Linear<100, 3>>;
  FakeDevice device(0);
  Tagged expected;
  load(expected, data + "/data_parallel/weights.safetensors");
  for (const std::string name : {"state_dict.pt", "state_dict_gpu1.pt", "split_over_cards.pt"}) {
    INFO(name);
    Tagged net = expected;
    for (float& w : net[4_c].weight.span()) w = 0;
    move_to(device, net);
    load(net, data + "/data_parallel/" + name, {.drop_prefix = "module."});
    CHECK(all_on(net, cuda{0}));
    CHECK(values_of(net) == values_of(expected));
  }
}
