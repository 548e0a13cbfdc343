/// load(net, file): what fits, what does not, and that a failure leaves the model as it was.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/io/load.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/batch_norm.hpp>
#include <lamina/layers/conv2d.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

namespace {
const std::string data = LAMINA_TEST_DATA;

// The model of the reference's strict cases.
using Net = Sequential<named<"conv", Conv2d<3, 8, conv{.kernel_size = 3}>>, named<"bn", BatchNorm2d<8>>,
                       named<"fc", Linear<8, 5>>>;
using Keys = std::vector<std::string>;

/// The lists of a load that must fail.
template <class M> load_error failure(M& net, const std::string& file) {
  try {
    load(net, data + file);
  } catch (const load_error& e) { return e; }
  FAIL("loaded " << file);
  return load_error("");
}
bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

struct Half {
  Parameter<Shape<3>, float16> weight;
};
struct Scalar {
  Parameter<Shape<>> zero_dim;
};
}  // namespace

TEST_CASE("a file that fits fills every parameter and buffer") {
  Net net;
  load(net, data + "/strict_same/state_dict.pt");
  const io::StateDict file = io::read_state_dict(data + "/strict_same/state_dict.pt");
  std::vector<float> expected(40);
  io::copy_elements(*file.find("fc.weight"), Dtype::float32, expected.data());
  CHECK(std::ranges::equal(net["fc"_m].weight.span(), expected));
  CHECK(net["bn"_m].num_batches_tracked.has_values());
}

// PyTorch's lists, from the reference manifest: a counter of batches may be absent where the file does not say its
// version.
TEST_CASE("missing and unexpected names are listed in order") {
  Net net;
  const load_error e = failure(net, "/strict_module_all/state_dict.pt");
  CHECK(e.missing == Keys{"conv.weight", "conv.bias", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var",
                          "fc.weight", "fc.bias"});
  CHECK(e.unexpected == Keys{"module.conv.weight", "module.conv.bias", "module.bn.weight", "module.bn.bias",
                             "module.bn.running_mean", "module.bn.running_var", "module.bn.num_batches_tracked",
                             "module.fc.weight", "module.fc.bias"});
  CHECK(e.mismatched.empty());
  CHECK(failure(net, "/strict_extra/state_dict.pt").unexpected == Keys{"fc2.weight", "conv.weight_g"});
}

TEST_CASE("a mismatch names the key and both shapes") {
  Net net;
  const load_error e = failure(net, "/strict_shape/state_dict.pt");
  CHECK(e.mismatched == Keys{"fc.weight"});
  CHECK(contains(e.what(), "fc.weight: the file has [5, 9], the model [5, 8]"));
}

TEST_CASE("a failed load leaves the model as it was") {
  Net net;
  load(net, data + "/strict_same/state_dict.pt");
  const Net before = net;
  const std::uint64_t version = net["conv"_m].weight.version();
  failure(net, "/strict_shape/state_dict.pt");
  failure(net, "/strict_extra/state_dict.pt");
  CHECK_THROWS_AS(load(net, data + "/manifest.json"), checkpoint_error);
  CHECK_THROWS_AS(load(net, data + "/no such file"), checkpoint_error);
  CHECK(net["conv"_m].weight.version() == version);
  CHECK(std::ranges::equal(std::as_const(net)["conv"_m].weight.span(), before["conv"_m].weight.span()));
  load(net, data + "/strict_same/state_dict.pt");
  CHECK(net["conv"_m].weight.version() > version);
}

TEST_CASE("elements are converted to the parameter's type, and one element fits a scalar") {
  const io::StateDict odd = io::read_state_dict(data + "/odd_tensors/dict.pt");
  io::StateDict some;
  io::TensorRecord weight = *odd.find("param");
  weight.name = "weight";
  some.add(weight);
  Half half;
  load(half, some);
  std::vector<float> values(3);
  io::copy_elements(weight, Dtype::float32, values.data());
  for (std::size_t i = 0; i < 3; ++i) CHECK(half.weight.span()[i] == float16(values[i]));

  io::StateDict one;
  io::TensorRecord scalar = *odd.find("zero_dim");
  scalar.shape = {1};
  scalar.strides = {1};
  one.add(scalar);
  Scalar net;
  load(net, one);
  CHECK(net.zero_dim.span()[0] == 3.25f);
}

// tests/golden/shared/make_shared.py says what PyTorch does with these files.
TEST_CASE("a shared module takes all its keys, and the value of the last") {
  using Twice = Sequential<named<"first", Linear<4, 4>>, ReLU, named<"second", shared<"first">>>;
  Twice net;
  load(net, data + "/shared/state_dict.pt");
  const io::StateDict file = io::read_state_dict(data + "/shared/state_dict.pt");
  std::vector<float> expected(16);
  io::copy_elements(*file.find("first.weight"), Dtype::float32, expected.data());
  CHECK(std::ranges::equal(std::as_const(net)["first"_m].weight.span(), expected));
  load(net, data + "/shared/changed.pt");
  CHECK(std::as_const(net)["first"_m].weight.data()[0] == 7);
  // A model of two modules takes the file too; one without the second name does not.
  Sequential<named<"first", Linear<4, 4>>, ReLU, named<"second", Linear<4, 4>>> two;
  load(two, data + "/shared/changed.pt");
  CHECK(std::as_const(two)["first"_m].weight.data()[0] == expected[0]);
  Sequential<named<"first", Linear<4, 4>>> one;
  CHECK(failure(one, "/shared/state_dict.pt").unexpected == Keys{"second.weight", "second.bias"});
}
