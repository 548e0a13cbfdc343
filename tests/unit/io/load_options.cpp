/// load with options: prefixes, other names, parts, and what a load that is not strict leaves alone.
#include "hand_built.hpp"
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/io/load.hpp>
#include <lamina/io/save.hpp>
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
const std::string plain = data + "/strict_same/state_dict.pt", wrapped = data + "/strict_module_all/state_dict.pt",
                  extra = data + "/strict_extra/state_dict.pt", other_shape = data + "/strict_shape/state_dict.pt";

/// All that a model stores; empty for what has no values.
std::vector<std::string> values_of(const auto& net) {
  std::vector<std::string> values;
  for (const auto& tensor : stored_tensors(net))
    values.emplace_back(
        *tensor.storage ? std::string(reinterpret_cast<const char*>(tensor.storage->data()), tensor.storage->bytes())
                        : std::string());
  return values;
}
Net loaded(const std::string& path) {
  Net net;
  load(net, path);
  return net;
}
/// The file under names that begin with a prefix.
io::StateDict with_prefix(const std::string& path, std::string_view prefix) {
  return io::replace_prefix(io::read_state_dict(path), "", prefix);
}
}  // namespace

TEST_CASE("module. is dropped where every name has it") {
  // The reference manifest: all names are found after dropping it.
  Net net;
  load(net, wrapped, {.drop_prefix = "module."});
  const io::StateDict file = io::read_state_dict(wrapped);
  CHECK(hand_built::elements(*file.find("module.fc.bias")) ==
        std::vector<float>(net["fc"_m].bias.span().begin(), net["fc"_m].bias.span().end()));
  // It is no error where no name has it.
  Net same;
  load(same, plain, {.drop_prefix = "module."});
  CHECK(values_of(same) == values_of(loaded(plain)));
}

TEST_CASE("module. stays where one name of the model lacks it in the file") {
  const io::StateDict file = io::read_state_dict(plain);
  io::StateDict mixed = file.emptied();
  for (const io::TensorRecord& tensor : file) {
    io::TensorRecord copy = tensor;
    if (copy.name != "fc.bias") copy.name = "module." + copy.name;
    mixed.add(copy);
  }
  Net net;
  try {
    load(net, mixed, {.drop_prefix = "module."});
    FAIL("loaded");
  } catch (const load_error& e) { CHECK(e.missing.size() == 7); }
  CHECK(values_of(net) == values_of(Net()));
}

TEST_CASE("a model of its own that has a child module keeps its names") {
  Sequential<named<"module", Linear<8, 5>>> net;
  const io::StateDict file = io::replace_prefix(io::subtree(io::read_state_dict(plain), "fc"), "", "module.");
  load(net, file, {.drop_prefix = "module."});
  CHECK(net["module"_m].bias.has_values());
}

TEST_CASE("a counter beside the wrapped weights does not keep their prefix") {
  // torch.optim.swa_utils.AveragedModel: module.* and n_averaged.
  io::StateDict averaged = io::read_state_dict(wrapped);
  io::TensorRecord counter = *averaged.find("module.bn.num_batches_tracked");
  counter.name = "n_averaged";
  averaged.add(counter);
  Net net;
  const IncompatibleKeys skipped = load(net, averaged, {.strict = false, .drop_prefix = "module."});
  CHECK(skipped.missing.empty());
  CHECK(skipped.unexpected == Keys{"n_averaged"});
  CHECK(net["fc"_m].bias.has_values());
  CHECK_THROWS_AS(load(net, averaged, {.drop_prefix = "module."}), load_error);
}

TEST_CASE("module. is added where every name needs it") {
  Sequential<named<"module", Net>> net;
  for (const std::string& path : {plain, wrapped}) {
    load(net, path, {.add_prefix = "module."});
    CHECK(values_of(net) == values_of([&] {
            Net inner;
            load(inner, path, {.drop_prefix = "module."});
            return inner;
          }()));
  }
}

TEST_CASE("wrappers come and go in any order") {
  const Net net = loaded(plain);
  for (const std::string prefix : {"", "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."}) {
    INFO(prefix);
    Net one;
    load(one, with_prefix(plain, prefix), {.match_wrappers = true});
    CHECK(values_of(one) == values_of(net));
    Sequential<named<"module", Net>> several;
    load(several, with_prefix(plain, prefix), {.match_wrappers = true});
    CHECK(values_of(several) == values_of(net));
  }
  Net one;
  CHECK_THROWS_AS(load(one, with_prefix(plain, "encoder."), {.match_wrappers = true}), load_error);
  load(one, with_prefix(plain, "encoder."), {.drop_prefix = "encoder."});
  CHECK(values_of(one) == values_of(net));
}

TEST_CASE("a batch norm's version follows its name") {
  // Version 2 says that a counter has to be there; without a version it may be absent.
  io::StateDict without;
  const io::StateDict file = io::read_state_dict(wrapped);
  for (const io::TensorRecord& tensor : file)
    if (!tensor.name.ends_with("num_batches_tracked")) without.add(tensor);
  Net net;
  load(net, without, {.drop_prefix = "module."});
  CHECK(net["bn"_m].num_batches_tracked.span()[0] == 0);
  without.set_version("module.bn", 2);
  const auto rename = [](std::string_view name) { return std::string(name.substr(7)); };
  for (const load_options& options :
       {load_options{.drop_prefix = "module."}, load_options{.rename = rename}, load_options{.subtree = "module"}})
    try {
      load(net, without, options);
      FAIL("loaded");
    } catch (const load_error& e) { CHECK(e.missing == Keys{"bn.num_batches_tracked"}); }
}

TEST_CASE("names are changed by a function, which can leave tensors out") {
  const io::StateDict file = io::read_state_dict(extra);
  io::StateDict other = file.emptied();
  for (const io::TensorRecord& tensor : file) {
    io::TensorRecord copy = tensor;
    if (copy.name.starts_with("fc.")) copy.name.replace(0, 2, "classifier");
    other.add(copy);
  }
  Net net;
  load(net, other, {.rename = [](std::string_view name) -> std::string {
         if (name.starts_with("classifier.")) return "fc" + std::string(name.substr(10));
         return name == "fc2.weight" || name == "conv.weight_g" ? "" : std::string(name);
       }});
  CHECK(values_of(net) == values_of(loaded(plain)));
  const Net before = net;
  CHECK_THROWS_AS(load(net, other, {.rename = [](std::string_view) { return "fc.bias"; }}), checkpoint_error);
  CHECK(values_of(net) == values_of(before));
}

TEST_CASE("a part of a file fills a part of a model") {
  const Net whole = loaded(plain);
  Net net;
  load(net["fc"_m], plain, {.subtree = "fc"});
  CHECK(values_of(net["fc"_m]) == values_of(whole["fc"_m]));
  CHECK(!net["conv"_m].weight.has_values());
  load(net["bn"_m], wrapped, {.subtree = "module.bn"});
  CHECK(net["bn"_m].weight.has_values());
  CHECK_THROWS_AS(load(net["fc"_m], plain, {.subtree = "f"}), checkpoint_error);
  CHECK_THROWS_AS(load(net["fc"_m], plain, {.subtree = "bn"}), load_error);
}

TEST_CASE("a load that is not strict returns what it left alone") {
  Net net;
  const IncompatibleKeys more = load(net, extra, {.strict = false});
  CHECK(more.missing.empty());
  CHECK(more.unexpected == Keys{"fc2.weight", "conv.weight_g"});
  CHECK(values_of(net) == values_of(loaded(plain)));

  Sequential<named<"conv", Conv2d<3, 8, conv{.kernel_size = 3}>>, named<"head", Linear<8, 2>>> other;
  other["head"_m].bias.data()[1] = 7;
  const IncompatibleKeys few = load(other, plain, {.strict = false});
  CHECK(few.missing == Keys{"head.weight", "head.bias"});
  CHECK(few.unexpected == Keys{"bn.weight", "bn.bias", "bn.running_mean", "bn.running_var", "bn.num_batches_tracked",
                               "fc.weight", "fc.bias"});
  CHECK(values_of(other["conv"_m]) == values_of(loaded(plain)["conv"_m]));
  CHECK(other["head"_m].bias.span()[1] == 7);
}

// PyTorch's load_state_dict(strict=False) raises for them, too.
TEST_CASE("shapes that differ are an error also where a load is not strict, and nothing is loaded") {
  Net net = loaded(plain);
  net["conv"_m].bias.data()[0] = 3;
  const auto before = values_of(net);
  try {
    load(net, other_shape, {.strict = false});
    FAIL("loaded");
  } catch (const load_error& e) { CHECK(e.mismatched == Keys{"fc.weight"}); }
  CHECK(values_of(net) == before);
}

TEST_CASE("a model is loaded from a model, itself too, under other names") {
  Sequential<named<"a", Linear<1, 2, false>>, named<"b", Linear<1, 2, false>>> net;
  net["a"_m].weight.data()[0] = 1, net["a"_m].weight.data()[1] = 2;
  net["b"_m].weight.data()[0] = 3, net["b"_m].weight.data()[1] = 4;
  load(net, state_dict(net),
       {.rename = [](std::string_view name) { return name[0] == 'a' ? "b.weight" : "a.weight"; }});
  CHECK(net["a"_m].weight.span()[0] == 3);
  CHECK(net["b"_m].weight.span()[1] == 2);
}

TEST_CASE("who shares a parameter's memory keeps what was there") {
  Net net = loaded(plain);
  const Storage shared = std::as_const(net)["fc"_m].bias.storage();
  const std::string before(reinterpret_cast<const char*>(shared.data()), shared.bytes());
  load(net, data + "/strict_extra/state_dict.pt", {.strict = false});
  net["fc"_m].bias.data()[0] = 9;
  CHECK(std::string(reinterpret_cast<const char*>(shared.data()), shared.bytes()) == before);
}
