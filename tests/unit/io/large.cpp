// Files of more than 4 GiB, which take no room: what lies between their ends is a hole.
#include "hand_built.hpp"
#include <catch2/catch_test_macros.hpp>

using namespace hand_built;

namespace {
constexpr std::uint64_t gap = (std::uint64_t(1) << 32) + 16;  // more than 32 bits count

/// `begin`, a hole, and `end` from byte `at`.
class SparseFile {
 public:
  SparseFile(const std::string& begin, std::uint64_t at, const std::string& end) : file_(begin) {
    std::ofstream out(file_.path(), std::ios::binary | std::ios::in);
    out.seekp(static_cast<std::streamoff>(at));
    out << end;
    made_ = bool(out.flush());
  }
  lamina::io::StateDict read() const {
    if (!made_) SKIP("no room for a sparse file of 4 GiB");
    return lamina::io::read_state_dict(file_.path());
  }

 private:
  TemporaryFile file_;
  bool made_ = false;
};

std::string entry(const std::string& name, std::uint64_t size, std::uint64_t offset) {
  const std::string extra = u16(1) + u16(24) + u64(size) + u64(size) + u64(offset);
  return "PK\1\2" + u16(45) + u16(45) + u16(0) + u16(0) + u32(0) + u32(0) + u32(~0u) + u32(~0u) + u16(name.size()) +
         u16(extra.size()) + u16(0) + u16(0) + u16(0) + u32(0) + u32(~0u) + name + extra;
}
std::string local(const std::string& name) {
  return "PK\3\4" + u16(45) + u16(0) + u16(0) + u32(0) + u32(0) + u32(~0u) + u32(~0u) + u16(name.size()) + u16(0) +
         name;
}
}  // namespace

TEST_CASE("io: a zip file of more than 4 GiB", "[io]") {
  const std::uint64_t numel = gap / 4;
  const auto last = static_cast<std::int64_t>(numel - 2);
  const std::string pickle = pickled(
      dict({{"w", tensor({.offset = last, .stored = static_cast<std::int64_t>(numel)})}, {"v", tensor({.key = "1"})}}));
  std::string begin = local("a/data.pkl") + pickle;
  const std::uint64_t first_at = begin.size();
  begin += local("a/data/0");
  const std::uint64_t data_at = begin.size(), second_at = data_at + gap;
  std::string end = floats({1, 2}) + local("a/data/1") + floats({3, 4});
  const std::uint64_t version_at = second_at - 8 + end.size();
  end += local("a/version") + "3\n";
  const std::uint64_t directory_at = second_at - 8 + end.size();
  const std::string directory = entry("a/data.pkl", pickle.size(), 0) + entry("a/data/0", gap, first_at) +
                                entry("a/data/1", 8, second_at) + entry("a/version", 2, version_at);
  end += directory + "PK\6\6" + u64(44) + u16(45) + u16(45) + u32(0) + u32(0) + u64(4) + u64(4) +
         u64(directory.size()) + u64(directory_at) + "PK\6\7" + u32(0) + u64(directory_at + directory.size()) + u32(1) +
         "PK\5\6" + u32(0) + u16(4) + u16(4) + u32(~0u) + u32(~0u) + u16(0);
  const auto tensors = SparseFile(begin, second_at - 8, end).read();
  REQUIRE(keys(tensors) == std::vector<std::string>{"w", "v"});
  CHECK(elements(tensors[0]) == std::vector<float>{1, 2});
  CHECK(elements(tensors[1]) == std::vector<float>{3, 4});
}

TEST_CASE("io: a safetensors file of more than 4 GiB", "[io]") {
  const std::string size = std::to_string(gap), whole = std::to_string(gap + 8);
  const std::string header = R"({"big":{"dtype":"U8","shape":[)" + size + R"(],"data_offsets":[0,)" + size +
                             R"(]},"w":{"dtype":"F32","shape":[2],"data_offsets":[)" + size + "," + whole + "]}}";
  const std::string begin = u64(header.size()) + header;
  const auto tensors = SparseFile(begin, begin.size() + gap, floats({1, 2})).read();
  REQUIRE(keys(tensors) == std::vector<std::string>{"big", "w"});
  CHECK(tensors[0].numel() == static_cast<std::int64_t>(gap));
  CHECK(elements(tensors[1]) == std::vector<float>{1, 2});
}
