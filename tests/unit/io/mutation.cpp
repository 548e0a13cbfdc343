// Every byte of a file changed in turn: the file is read or refused, and nothing else happens. Meant to run under the
// address and undefined-behaviour sanitizers too.
#include "hand_built.hpp"
#include <catch2/catch_test_macros.hpp>

using namespace hand_built;

namespace {
const std::string data = LAMINA_TEST_DATA "/";

struct Outcome {
  int read = 0, refused = 0;
};
// Reads all elements too. Any other exception ends the test.
Outcome change_each_byte(std::string bytes) {
  Outcome outcome;
  for (char& byte : bytes) {
    const char original = byte;
    for (const int value : {original ^ 1, original ^ 0x80, 0xff}) {
      byte = static_cast<char>(value);
      ++(refusal(bytes) == "" ? outcome.read : outcome.refused);
    }
    byte = original;
  }
  return outcome;
}
// The same records without checksums, so that changes reach the pickle.
std::string without_checksums(const std::string& path) {
  const lamina::io::ZipArchive archive{lamina::io::MappedFile(path)};
  std::vector<Record> records;
  for (std::size_t i = 0; i < archive.size(); ++i)
    records.push_back({"a/" + std::string(archive[i].name), std::string(archive[i].bytes)});
  return zip(records);
}
}  // namespace

TEST_CASE("io: any byte of a state_dict may be wrong", "[io]") {
  const Outcome outcome = change_each_byte(content(data + "strict_same/state_dict.pt"));
  CHECK(outcome.refused > outcome.read);  // checksums cover most of the file
}

TEST_CASE("io: any byte of a whole model may be wrong", "[io]") {
  const std::string bytes = without_checksums(data + "module_list/model.pth");
  REQUIRE(refusal(bytes) == "");
  const Outcome outcome = change_each_byte(bytes);
  CHECK(outcome.refused > 1000);
  CHECK(outcome.read > 1000);
}

TEST_CASE("io: any byte of a file of the old format may be wrong", "[io]") {
  const Outcome outcome = change_each_byte(content(data + "mlp_named/state_dict.pth"));
  CHECK(outcome.refused > 1000);
  CHECK(outcome.read > 1000);
}

TEST_CASE("io: a file that is cut off anywhere is refused", "[io]") {
  for (const char* name :
       {"mlp_named/state_dict.pth", "strict_same/state_dict.pt", "odd_tensors/weights.safetensors"}) {
    const std::string bytes = content(data + name);
    INFO(name);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      if (refusal(std::string_view(bytes).substr(0, size)) == "") FAIL_CHECK("read after " << size << " bytes");
  }
}

TEST_CASE("io: any byte of odd tensors may be wrong", "[io]") {
  const std::string bytes = without_checksums(data + "odd_tensors/dict.pt");
  REQUIRE(refusal(bytes) == "");
  CHECK(change_each_byte(bytes).refused > 1000);
}

TEST_CASE("io: any byte of a safetensors file may be wrong", "[io]") {
  const Outcome outcome = change_each_byte(content(data + "odd_tensors/weights.safetensors"));
  CHECK(outcome.refused > 1000);
}
