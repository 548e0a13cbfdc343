/// What save and write put into files: read back bit for bit, by the library and by readers of the test's own.
#include "hand_built.hpp"
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <lamina/compose/sequential.hpp>
#include <lamina/io/checkpoint.hpp>
#include <lamina/io/load.hpp>
#include <lamina/io/save.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/batch_norm.hpp>
#include <lamina/layers/conv2d.hpp>
#include <lamina/layers/linear.hpp>
#include <map>
#include <sys/mman.h>

using namespace lamina;
using namespace hand_built;

namespace {
const std::string data = LAMINA_TEST_DATA;

using Net = Sequential<named<"conv", Conv2d<3, 8, conv{.kernel_size = 3}>>, named<"bn", BatchNorm2d<8>>, ReLU,
                       named<"fc", Linear<8, 5>>>;

/// A folder that exists as long as this object.
struct Folder {
  std::filesystem::path path;
  Folder() {
    char name[] = "lamina_save_XXXXXX";
    path = std::filesystem::absolute(mkdtemp(name));
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file(const std::string& name) const { return (path / name).string(); }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path), {}));
  }
};

std::vector<std::byte> bytes_of(const io::TensorRecord& tensor) {
  std::vector<std::byte> bytes(std::size_t(tensor.numel()) * item_size(tensor.dtype));
  io::copy_elements(tensor, tensor.dtype, bytes.data());
  return bytes;
}
void check_equal(const io::StateDict& a, const io::StateDict& b) {
  REQUIRE(a.size() == b.size());
  for (const auto& tensor : a) {
    INFO(tensor.name);
    const io::TensorRecord* const other = b.find(tensor.name);
    REQUIRE(other);
    CHECK(dtype_name(other->dtype) == dtype_name(tensor.dtype));
    CHECK(other->shape == tensor.shape);
    CHECK(bytes_of(*other) == bytes_of(tensor));
  }
}
std::string refusal_of(const auto& action) {
  try {
    action();
  } catch (const error& e) { return e.what(); }
  return "";
}

// --- a reader of zip files and pickles that shares nothing with the library

std::uint64_t number(std::string_view bytes, std::size_t at, int count) {
  std::uint64_t value = 0;
  for (int i = count; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes.at(at + std::size_t(i)));
  return value;
}
std::uint32_t slow_crc32(std::string_view bytes) {
  std::uint32_t crc = ~0u;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1u ? 0xedb88320u : 0u);
  }
  return ~crc;
}

struct PlainRecord {
  std::string name, bytes;
};
/// The records in the order of the file, each checked against the smallest file that torch.load reads: stored, sizes
/// and checksum true in both headers, no descriptor, the bytes at a multiple of 64.
std::vector<PlainRecord> plain_records(const std::string& file) {
  std::vector<PlainRecord> records;
  std::size_t at = 0;
  while (file.substr(at, 4) == std::string("PK\3\4", 4)) {
    const std::size_t name_size = number(file, at + 26, 2), extra_size = number(file, at + 28, 2);
    const std::size_t size = number(file, at + 22, 4), begin = at + 30 + name_size + extra_size;
    const std::string name = file.substr(at + 30, name_size), extra = file.substr(at + 30 + name_size, extra_size);
    const std::string bytes = file.substr(begin, size);
    INFO(name);
    CHECK(number(file, at + 6, 2) == 0x800);  // only: the name is UTF-8
    CHECK(number(file, at + 8, 2) == 0);
    CHECK(number(file, at + 14, 4) == slow_crc32(bytes));
    CHECK(number(file, at + 18, 4) == size);
    CHECK(begin % 64 == 0);
    CHECK(extra.substr(0, 2) == "FB");
    CHECK(number(extra, 2, 2) == extra.size() - 4);
    CHECK(std::all_of(extra.begin() + 4, extra.end(), [](char c) { return c == 'Z'; }));
    records.push_back({name, bytes});
    at = begin + size;
  }
  const std::size_t directory = at;
  std::size_t offset = 0;
  for (const PlainRecord& record : records) {
    INFO("directory: " << record.name);
    REQUIRE(file.substr(at, 4) == std::string("PK\1\2", 4));
    CHECK(number(file, at + 10, 2) == 0);
    CHECK(number(file, at + 16, 4) == slow_crc32(record.bytes));
    CHECK(number(file, at + 20, 4) == record.bytes.size());
    CHECK(number(file, at + 24, 4) == record.bytes.size());
    CHECK(number(file, at + 30, 2) == 0);
    offset = number(file, at + 42, 4);
    CHECK(file.substr(offset + 30, record.name.size()) == record.name);
    CHECK(file.substr(at + 46, record.name.size()) == record.name);
    at += 46 + record.name.size();
  }
  const std::size_t size = at - directory, end = at;
  REQUIRE(file.size() == end + 56 + 20 + 22);
  CHECK(file.substr(end, 4) == std::string("PK\6\6", 4));
  CHECK(number(file, end + 4, 8) == 44);
  CHECK(number(file, end + 24, 8) == records.size());
  CHECK(number(file, end + 32, 8) == records.size());
  CHECK(number(file, end + 40, 8) == size);
  CHECK(number(file, end + 48, 8) == directory);
  CHECK(file.substr(end + 56, 4) == std::string("PK\6\7", 4));
  CHECK(number(file, end + 64, 8) == end);
  CHECK(file.substr(end + 76, 4) == std::string("PK\5\6", 4));
  CHECK(number(file, end + 84, 2) == records.size());
  CHECK(number(file, end + 86, 2) == records.size());
  CHECK(number(file, end + 88, 4) == size);
  CHECK(number(file, end + 92, 4) == directory);
  return records;
}

/// The opcodes of a pickle and how often each occurs; none but those that weights_only=True knows.
std::map<char, int> opcodes(const std::string& pickle) {
  std::map<char, int> counts;
  REQUIRE(pickle.substr(0, 2) == "\x80\x02");
  for (std::size_t at = 2; at < pickle.size();) {
    const char code = pickle[at++];
    ++counts[code];
    switch (code) {
    case 'c': at = pickle.find('\n', pickle.find('\n', at) + 1) + 1; break;
    case 'X': at += 4 + number(pickle, at, 4); break;
    case 'K': at += 1; break;
    case 'M': at += 2; break;
    case 'J': at += 4; break;
    case 'G': at += 8; break;
    case '\x8a': at += 1 + number(pickle, at, 1); break;
    case ')':
    case '(':
    case 't':
    case 'R':
    case 'Q':
    case '}':
    case 'u':
    case 'b':
    case 'N':
    case '\x88':
    case '\x89': break;
    case '.': CHECK(at == pickle.size()); break;
    default: FAIL("opcode " << static_cast<int>(static_cast<unsigned char>(code)) << " at " << at - 1);
    }
  }
  CHECK(counts['.'] == 1);
  return counts;
}
}  // namespace

TEST_CASE("a saved model is loaded again bit for bit, from both formats") {
  const Folder folder;
  Net net;
  load(net, data + "/strict_same/state_dict.pt");
  for (const std::string name : {"net.pt", "net.pth", "net.pkl", "net.safetensors"}) {
    INFO(name);
    save(net, folder.file(name));
    Net again;
    load(again, folder.file(name));
    check_equal(state_dict(net), state_dict(again));
    CHECK((content(folder.file(name)).substr(0, 2) == "PK") == (name != "net.safetensors"));
  }
  CHECK(folder.files() == 4);  // nothing temporary is left
}

TEST_CASE("order and versions are those of PyTorch's state_dict") {
  const Folder folder;
  Net net;
  load(net, data + "/strict_same/state_dict.pt");
  save(net, folder.file("net.pt"));
  const io::StateDict ours = io::read_state_dict(folder.file("net.pt"));
  const io::StateDict theirs = io::read_state_dict(data + "/strict_same/state_dict.pt");
  CHECK(keys(ours) == keys(theirs));
  std::vector<std::pair<std::string, std::int64_t>> versions;
  for (const auto& [module, version] : ours.versions()) versions.emplace_back(module, version);
  // `2` is the ReLU, which the reference's net has not.
  CHECK(versions == decltype(versions){{"", 1}, {"conv", 1}, {"bn", 2}, {"2", 1}, {"fc", 1}});
}

TEST_CASE("the bytes are the smallest file that torch.load(weights_only=True) reads") {
  const Folder folder;
  const io::StateDict odd = io::read_state_dict(data + "/odd_tensors/dict.pt");
  io::write(odd, folder.file("odd.pt"), {.values = {{"epoch", 5}, {"best", 0.5}, {"far", -1}, {"id", 1L << 40}}});
  const std::vector<PlainRecord> records = plain_records(content(folder.file("odd.pt")));
  REQUIRE(records.size() > 4);
  CHECK(records[0].name == "archive/data.pkl");
  CHECK(records[1].name == "archive/byteorder");
  CHECK(records[1].bytes == "little");
  for (std::size_t i = 2; i + 1 < records.size(); ++i)
    CHECK(records[i].name == "archive/data/" + std::to_string(i - 2));
  CHECK(records.back().name == "archive/version");
  CHECK(records.back().bytes == "3\n");
  // One storage a tensor but for the tied pair, which shares one.
  CHECK(records.size() - 3 == odd.size() - 1);
  std::map<char, int> codes = opcodes(records[0].bytes);
  CHECK(codes['Q'] == static_cast<int>(odd.size()));
}

TEST_CASE("views, every dtype, tied and empty tensors, names in any language are kept") {
  const Folder folder;
  for (const std::string file : {"odd_tensors/dict.pt", "odd_tensors/ordered.pt", "unet_bilinear/checkpoint_epoch5.pth",
                                 "training_checkpoint/checkpoint.pth.tar", "data_parallel/split_over_cards.pt"}) {
    INFO(file);
    const io::StateDict tensors = io::read_state_dict(data + "/" + file);
    io::write(tensors, folder.file("out.pt"));
    io::write(tensors, folder.file("out.safetensors"));
    const io::StateDict again = io::read_state_dict(folder.file("out.pt"));
    CHECK(keys(again) == keys(tensors));
    check_equal(tensors, again);
    check_equal(tensors, io::read_state_dict(folder.file("out.safetensors")));
  }
}

TEST_CASE("safetensors files are those of the reference writer") {
  const Folder folder;
  const auto parts = [](const std::string& file) {
    const std::size_t size = number(file, 0, 8);
    CHECK(size % 8 == 0);
    const std::string header = file.substr(8, size);
    return std::pair(header.substr(0, header.find_last_not_of(' ') + 1), file.substr(8 + size));
  };
  for (const std::string name : {"mlp_named", "resnet_basic", "unet_bilinear"}) {
    INFO(name);
    const std::string reference = data + "/" + name + "/weights.safetensors";
    io::write(io::read_state_dict(reference), folder.file("out.safetensors"));
    const auto [header, bytes] = parts(content(reference));
    const auto [our_header, our_bytes] = parts(content(folder.file("out.safetensors")));
    CHECK(our_bytes == bytes);
    CHECK(our_header == R"({"__metadata__":{"format":"pt"},)" + header.substr(1));  // which PyTorch's readers ask for
  }
}

TEST_CASE("floating-point tensors are written in another dtype, integers as they are") {
  const Folder folder;
  Net net;
  load(net, data + "/strict_same/state_dict.pt");
  for (const std::string name : {"half.pt", "half.safetensors"}) {
    save(net, folder.file(name), {.dtype = Dtype::float16});
    const io::StateDict half = io::read_state_dict(folder.file(name));
    CHECK(half.find("conv.weight")->dtype == Dtype::float16);
    CHECK(half.find("bn.num_batches_tracked")->dtype == Dtype::int64);
    const auto values = elements(*half.find("fc.weight"));
    const auto span = std::as_const(net)["fc"_m].weight.span();
    for (std::size_t i = 0; i < values.size(); ++i) CHECK(values[i] == float(float16(span[i])));
  }
}

TEST_CASE("a prefix before all names brings the modules that it stands for") {
  const Folder folder;
  Net net;
  load(net, data + "/strict_same/state_dict.pt");
  save(net, folder.file("net.pt"), {.add_prefix = "module."});
  const io::StateDict file = io::read_state_dict(folder.file("net.pt"));
  CHECK(keys(file) == keys(io::read_state_dict(data + "/strict_module_all/state_dict.pt")));
  CHECK(file.version("") == 1);
  CHECK(file.version("module") == 1);
  CHECK(file.version("module.bn") == 2);
}

TEST_CASE("values ride along") {
  const Folder folder;
  Net net;
  load(net, data + "/strict_same/state_dict.pt");
  const io::Values values{
      {"epoch", 5}, {"best", 0.1}, {"done", true}, {"generator", "12 \"34\"\n\x01é"}, {"loss", -1e300}};
  for (const std::string name : {"state.pt", "state.safetensors"}) {
    INFO(name);
    save(net, folder.file(name), {.values = values});
    const io::Checkpoint file = io::read_checkpoint(folder.file(name));
    CHECK(file.values.size() == values.size());
    CHECK(file.values.get<std::int64_t>("epoch") == 5);
    CHECK(file.values.get<double>("epoch") == 5.0);
    CHECK(file.values.get<double>("best") == 0.1);
    CHECK(file.values.get<double>("loss") == -1e300);
    CHECK(file.values.get<bool>("done"));
    CHECK(file.values.get<std::string>("generator") == "12 \"34\"\n\x01é");
    CHECK_THROWS_AS(file.values.get<bool>("best"), checkpoint_error);
    CHECK_THROWS_AS(file.values.get<bool>("nothing"), checkpoint_error);
    check_equal(file.tensors, state_dict(net));
    Net again;
    load(again, folder.file(name));
  }
}

TEST_CASE("PyTorch's values beside a state_dict are read") {
  const io::Checkpoint file = io::read_checkpoint(data + "/training_checkpoint/checkpoint.pth.tar");
  CHECK(!file.values.empty());
  CHECK(file.values.find("epoch"));
}

TEST_CASE("a failure leaves the old file and nothing else") {
  const Folder folder;
  Net net;
  load(net, data + "/strict_same/state_dict.pt");
  const std::string path = folder.file("net.pt"), table = folder.file("net.safetensors");
  save(net, path);
  save(net, table);
  const std::string old = content(path);
  CHECK(refusal_of([&] { save(Net(), path); }) ==
        "Sequential: conv.weight has no values yet, so there is nothing to save");
  CHECK(refusal_of([&] {
          save(net, path, {.values = {{"state_dict", 1}}});
        }) == path + ": a value is named \"state_dict\", as a part of the file is");
  CHECK(refusal_of([&] { save(net, path, {.values = {{"bad \xff", 1}}}); }) != "");
  CHECK(refusal_of([&] { save(net, table, {.values = {{"format", 1}}}); }) != "");
  io::StateDict strange;
  io::TensorRecord tensor = state_dict(net)[0];
  tensor.name = "__metadata__";
  strange.add(tensor);
  CHECK(refusal_of([&] { io::write(strange, table); }) == table + ": a tensor is named \"__metadata__\"");
  CHECK(content(path) == old);
  CHECK(folder.files() == 2);
  CHECK(refusal_of([&] { save(net, folder.file("none/net.pt")); }) ==
        folder.file("none/net.pt") + ": cannot be written: No such file or directory");
  CHECK(refusal_of([&] { save(net, folder.path.string()); }) == folder.path.string() + ": is a folder");
  CHECK(refusal_of([&] { save(net, "/dev/null"); }) == "/dev/null: is no regular file; it would be replaced");
}

TEST_CASE("who has the old file open keeps it, permissions and links stay") {
  const Folder folder;
  Net net;
  load(net, data + "/strict_same/state_dict.pt");
  const std::string path = folder.file("net.pt"), link = folder.file("link.pt");
  save(net, path);
  std::filesystem::permissions(path, std::filesystem::perms(0640));
  std::filesystem::create_symlink("net.pt", link);
  const io::StateDict old = io::read_state_dict(path);
  const std::vector<std::byte> before = bytes_of(old[0]);
  net["conv"_m].weight.data()[0] = 42;
  save(net, link);
  CHECK(bytes_of(old[0]) == before);
  CHECK(elements(io::read_state_dict(path)[0])[0] == 42);
  CHECK(std::filesystem::is_symlink(link));
  CHECK(std::filesystem::status(path).permissions() == std::filesystem::perms(0640));
}

// The first tensor is zeros that take no memory, and become a hole in the file.
TEST_CASE("a file of more than 4 GiB") {
  constexpr std::size_t size = (std::size_t(1) << 32) + (std::size_t(1) << 20);
  void* const zeros = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (zeros == MAP_FAILED) SKIP("no address space");
  madvise(zeros, size, MADV_HUGEPAGE);
  const float last[] = {1.5f, -2.5f};
  io::TensorRecord large, small;
  large.name = "large";
  large.dtype = Dtype::uint8;
  large.shape = {std::int64_t(size)};
  large.strides = {1};
  large.data = static_cast<const std::byte*>(zeros);
  small.name = "small";
  small.shape = {2};
  small.strides = {1};
  small.data = reinterpret_cast<const std::byte*>(last);
  io::StateDict tensors;
  tensors.add(large);
  tensors.add(small);
  const Folder folder;
  const auto check = [&](const std::string& path) {
    CHECK(std::filesystem::file_size(path) > size);
    const io::StateDict again = io::read_state_dict(path);
    REQUIRE(again.size() == 2);
    CHECK(again.find("large")->shape == large.shape);
    CHECK(again.find("large")->data[size - 1] == std::byte(0));
    CHECK(elements(*again.find("small")) == std::vector<float>{1.5f, -2.5f});
    return again;
  };
  io::write(tensors, folder.file("large.pt"));
  munmap(zeros, size);
  const io::StateDict sparse = check(folder.file("large.pt"));
  io::write(sparse, folder.file("large.safetensors"));
  check(folder.file("large.safetensors"));
}
