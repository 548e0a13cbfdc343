#include "golden.hpp"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace golden {

namespace {

// What DataParallel puts before every name.
constexpr std::string_view data_parallel = "module.";

std::vector<std::string> lines(const char* text) {
  std::vector<std::string> result;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) result.push_back(line);
  return result;
}

std::string joined(const auto& shape) {
  std::string text = "[";
  for (const auto n : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(n);
  return text + "]";
}

/// The elements in C order.
std::vector<std::byte> elements(const lamina::io::TensorRecord& tensor, lamina::Dtype dtype) {
  std::vector<std::byte> bytes(std::size_t(tensor.numel()) * lamina::item_size(dtype));
  lamina::io::copy_elements(tensor, dtype, bytes.data());
  return bytes;
}

}  // namespace

void skip(const char* reason) { SKIP(reason); }
void fail(const char* reason) { FAIL(reason); }

lamina::io::StateDict tensors_of(const char* path) { return lamina::io::read_state_dict(path); }

void check_text(const std::string& text, const char* expected) { CHECK(text == expected); }

void check_text_of_file(const std::string& text, const char* path) {
  std::ifstream file(path, std::ios::binary);
  INFO("file: " << path);
  REQUIRE(file);
  std::string expected{std::istreambuf_iterator<char>(file), {}};
  if (expected.ends_with('\n')) expected.pop_back();
  CHECK(text == expected);
}

void check_keys(std::span<const std::string_view> keys, const char* expected) {
  CHECK(std::vector<std::string>(keys.begin(), keys.end()) == lines(expected));
}

void check_tensors(const char* path, const char* weights, const char* keys, bool optional) {
  const auto references = tensors_of(weights);
  lamina::io::StateDict tensors;
  try {
    tensors = tensors_of(path);
  } catch (const lamina::checkpoint_error& refusal) {
    if (!optional) throw;
    SUCCEED("refused, as it may be: " << refusal.what());
    return;
  }
  std::vector<std::string> names;
  for (const auto& tensor : tensors)
    names.push_back(tensor.name.substr(tensor.name.starts_with(data_parallel) ? data_parallel.size() : 0));
  REQUIRE(names == lines(keys));
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto* reference = references.find(names[i]);
    INFO("tensor: " << names[i]);
    REQUIRE(reference);
    CHECK(lamina::dtype_name(tensors[i].dtype) == lamina::dtype_name(reference->dtype));
    CHECK(joined(tensors[i].shape) == joined(reference->shape));
    CHECK(elements(tensors[i], tensors[i].dtype) == elements(*reference, reference->dtype));
  }
}

void check_refused(const char* path, bool optional, const char* canary) {
  try {
    for (const auto& tensor : tensors_of(path)) elements(tensor, tensor.dtype);
    CHECK(optional);
  } catch (const lamina::checkpoint_error& refusal) { SUCCEED(refusal.what()); }
  if (*canary) CHECK((!std::filesystem::exists(canary) || std::filesystem::is_empty(canary)));
}

bool check_names(void (*load)(void* net, const char* path), void* net, const char* path, const char* missing,
                 const char* unexpected, const char* mismatched) {
  lamina::load_error names("");
  bool loaded = true;
  try {
    load(net, path);
  } catch (const lamina::load_error& error) { names = error, loaded = false; }
  CHECK(names.missing == lines(missing));
  CHECK(names.unexpected == lines(unexpected));
  CHECK(names.mismatched == lines(mismatched));
  return loaded;
}

Reference::Reference(const char* path) : tensors(tensors_of(path)) {}

void Reference::read(const std::string& name, lamina::Dtype dtype, const lamina::Dims& dims, void* to) const {
  const auto* tensor = tensors.find(name);
  INFO("tensor " << name << " of " << tensors.path());
  REQUIRE(tensor);
  REQUIRE(tensor->dtype == dtype);
  REQUIRE(joined(tensor->shape) == joined(dims));
  lamina::io::copy_elements(*tensor, dtype, to);
}

void Reference::compare(const std::string& name, const lamina::Dims& dims, const float* x, double tolerance) const {
  const auto* tensor = tensors.find(name);
  INFO("tensor " << name << " of " << tensors.path());
  REQUIRE(tensor);
  REQUIRE(joined(dims) == joined(tensor->shape));
  std::vector<double> reference(std::size_t(tensor->numel()));
  lamina::io::copy_elements(*tensor, lamina::Dtype::float64, reference.data());
  double scale = 1e-30, error = 0;
  std::size_t worst = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    if (std::isfinite(reference[i])) scale = std::max(scale, std::abs(reference[i]));
    const double value = x[i];
    if (value == reference[i] || (std::isnan(value) && std::isnan(reference[i]))) continue;
    const double difference =
        std::isfinite(value) && std::isfinite(reference[i]) ? std::abs(value - reference[i]) : INFINITY;
    if (difference > error) error = difference, worst = i;
  }
  INFO("element " << worst << " of " << joined(dims) << " is " << x[reference.empty() ? 0 : worst]
                  << ", the reference is " << reference[reference.empty() ? 0 : worst]);
  CHECK(error / scale <= tolerance);
}

void check_stored(const Stored& stored, const char* weights, std::string_view prefix) {
  const auto references = tensors_of(weights);
  std::size_t saved = 0;
  for (const auto& tensor : stored) {
    if (!tensor.saved) continue;
    ++saved;
    INFO("tensor: " << tensor.path);
    REQUIRE(tensor.path.starts_with(prefix));
    const auto* reference = references.find(tensor.path.substr(prefix.size()));
    REQUIRE(reference);
    CHECK(joined(tensor.dims) == joined(reference->shape));
    REQUIRE(*tensor.storage);
    const auto expected = elements(*reference, tensor.dtype);
    CHECK(std::memcmp(tensor.storage->data(), expected.data(), expected.size()) == 0);
  }
  CHECK(saved == references.size());
}

}  // namespace golden
