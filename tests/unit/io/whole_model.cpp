/// load_model and save_model: the structure of a file against that of a model.
#include "hand_built.hpp"
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <lamina/compose/module_list.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/io/whole_model.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/batch_norm.hpp>
#include <lamina/layers/conv2d.hpp>
#include <lamina/layers/dropout.hpp>
#include <lamina/layers/flatten.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/layers/softmax.hpp>
#include <lamina/parallel/data_parallel.hpp>

using namespace lamina;

namespace {
const std::string data = LAMINA_TEST_DATA;
using Sentences = std::vector<std::string>;

// What PyTorch saved as mlp_positional/model.pth.
using Mlp = Sequential<Linear<16, 32>, ReLU, Linear<32, 24>, ReLU, Linear<24, 4>>;

template <class Net> Sentences differences(Net& net, const std::string& path, std::string_view part = "") {
  try {
    load_model(net, path, part);
  } catch (const load_error& e) { return e.differences; }
  return {};
}
const std::string positional = data + "/mlp_positional/model.pth";
}  // namespace

TEST_CASE("a model that PyTorch saved whole is loaded where the structure is the same") {
  Mlp net, by_name;
  load_model(net, positional);
  load(by_name, data + "/mlp_positional/state_dict.pt");
  CHECK(std::ranges::equal(net[0_c].weight.span(), by_name[0_c].weight.span()));
}

TEST_CASE("differences are named by path: class, option, module") {
  Sequential<Linear<16, 32>, Sigmoid, Linear<32, 25>, ReLU, Linear<25, 4>, Softmax<1>> net;
  CHECK(differences(net, positional) == Sentences{"1: is a ReLU in the file and a Sigmoid in the model",
                                                  "2: out_features is 24 in the file and 25 in the model",
                                                  "4: in_features is 24 in the file and 25 in the model",
                                                  "5: is only in the model, a Softmax"});
  CHECK(!net[0_c].weight.has_values());
  Sequential<Linear<16, 32>, ReLU, Linear<32, 24>> shorter;
  CHECK(differences(shorter, positional) ==
        Sentences{"3: is only in the file, a ReLU", "4: is only in the file, a Linear"});
}

TEST_CASE("a parameter that one side lacks is named by its key") {
  Sequential<Linear<16, 32>, ReLU, Linear<32, 24, false>, ReLU, Linear<24, 4>> net;
  try {
    load_model(net, positional);
    FAIL("loaded");
  } catch (const load_error& e) { CHECK(e.unexpected == Sentences{"2.bias"}); }
}

// data_parallel/model_*.pth hold a DataParallel of these.
using Inner =
    Sequential<Conv2d<2, 4, conv{.kernel_size = 3, .padding = 1}>, BatchNorm2d<4>, ReLU, Flatten<>, Linear<100, 3>>;

TEST_CASE("models that DataParallel wraps are loaded with and without the wrapper") {
  for (const std::string file : {"/data_parallel/model_2gpu.pth", "/data_parallel/model_cpu.pth"}) {
    INFO(file);
    DataParallel<Inner> wrapped;
    load_model(wrapped, data + file);
    Inner inner;
    load_model(inner, data + file, "module");
    CHECK(std::ranges::equal(inner[4_c].weight.span(), wrapped.module()[4_c].weight.span()));
    CHECK(differences(inner, data + file)[0] ==
          "the model: is a DataParallel in the file and a Sequential in the model");
  }
}

TEST_CASE("options that print(net) hides at their defaults are compared, too") {
  Sequential<Conv2d<2, 4, conv{.kernel_size = 3, .padding = 0}>, BatchNorm2d<4, batch_norm{.eps = 1e-3}>, ReLU,
             Flatten<>, Linear<100, 3>>
      net;
  CHECK(differences(net, data + "/data_parallel/model_cpu.pth", "module") ==
        Sentences{"0: padding is (1, 1) in the file and 0 in the model",
                  "1: eps is 1e-05 in the file and 0.001 in the model"});
}

TEST_CASE("a file of weights alone has no structure to compare") {
  Mlp net;
  CHECK_THROWS_AS(load_model(net, data + "/mlp_positional/state_dict.pt"), checkpoint_error);
  CHECK_THROWS_AS(load_model(net, data + "/mlp_positional/weights.safetensors"), checkpoint_error);
}

TEST_CASE("save_model's files hold structure and weights") {
  Mlp net, again;
  load(net, data + "/mlp_positional/state_dict.pt");
  const hand_built::TemporaryFile file("");
  save_model(net, file.path(), {.values = {{"epoch", 3}}});
  load_model(again, file.path());
  CHECK(std::ranges::equal(net[4_c].bias.span(), again[4_c].bias.span()));
  CHECK(io::read_checkpoint(file.path()).values.get<std::int64_t>("epoch") == 3);
  Mlp weights;
  load(weights, file.path());

  Sequential<Linear<16, 32>, ReLU, Linear<32, 24>, Dropout<0.25>, Linear<24, 5, false>> other;
  CHECK(differences(other, file.path()) == Sentences{"3: is a ReLU in the file and a Dropout in the model",
                                                     "4: out_features is 4 in the file and 5 in the model"});
  const io::ModuleTree tree = io::read_module_tree(file.path());
  REQUIRE(tree.size() == 6);
  CHECK(tree[0].class_name == "Sequential");
  CHECK(tree[5].path == "4");
  CHECK(*tree[5].attribute("in_features") == "24");
  CHECK_THROWS_AS(save_model(net, "net.safetensors"), checkpoint_error);
}

TEST_CASE("values in Python's notation are compared by what they mean") {
  const auto same = [](const char* a, const char* b) { return io::detail::OptionText(a) == io::detail::OptionText(b); };
  CHECK(same("2", "(2, 2)"));
  CHECK(same("2", "2.0"));
  CHECK(same("(3,)", "3"));
  CHECK(same("'same'", "same"));
  CHECK(same("1e-05", "0.00001"));
  CHECK(same("None", "None"));
  CHECK(!same("(2, 2)", "(2, 3)"));
  CHECK(!same("(2, 2)", "(2, 2, 2)"));
  CHECK(!same("None", "0"));
  CHECK(!same("True", "False"));
}
