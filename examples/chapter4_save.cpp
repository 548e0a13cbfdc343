/// Chapter 4: weights written for PyTorch, and files whose names do not fit at once. Files go to the current folder.
///   chapter4_save
#include <iostream>
#include <lamina.hpp>

using namespace lamina;

using Mlp = Sequential<named<"fc1", Linear<784, 256>>, named<"relu1", ReLU>, named<"fc2", Linear<256, 10>>>;
using Classifier = Sequential<named<"fc1", Linear<784, 256>>, named<"relu1", ReLU>, named<"head", Linear<256, 2>>>;

const std::string data = LAMINA_EXAMPLE_DATA;

int main() {
  Mlp net;
  load(net, data + "/digits_mlp.pth");

  // torch.load("mlp.pth", weights_only=True) gives the state_dict, safetensors.torch.load_file the other. The old file
  // is there until the new one is complete.
  save(net, "mlp.pth");
  save(net, "mlp.safetensors");
  save(net, "mlp_half.safetensors", {.dtype = Dtype::float16});

  // Training state rides along: {'state_dict': .., 'epoch': 5, 'best': 0.93}.
  save(net, "last.pth", {.values = {{"epoch", 5}, {"best", 0.93}, {"generator", "state of a std::mt19937"}}});
  const io::Checkpoint last = io::read_checkpoint("last.pth");
  load(net, last.tensors);
  std::cout << "epoch " << last.values.get<std::int64_t>("epoch") << ", best " << last.values.get<double>("best")
            << '\n';

  // A model saved whole has its structure beside the weights. It is compared before anything is loaded.
  save_model(net, "mlp_whole.pt");
  load_model(net, "mlp_whole.pt");
  Classifier classifier;
  for (const std::string& file : {std::string("mlp_whole.pt"), data + "/digits_mlp_whole.pt"}) try {
      load_model(classifier, file);
    } catch (const load_error& e) {
      for (const std::string& difference : e.differences) std::cout << difference << '\n';
    }

  // Another head: what fits is loaded, and the rest is told.
  const IncompatibleKeys skipped = load(classifier, "mlp.pth", {.strict = false});
  for (const std::string& name : skipped.missing) std::cout << "not in the file: " << name << '\n';
  for (const std::string& name : skipped.unexpected) std::cout << "not in the model: " << name << '\n';

  // Other names, and a part alone.
  save(net, "backbone.pth", {.add_prefix = "backbone."});
  load(net, "backbone.pth", {.drop_prefix = "backbone."});
  load(net["fc1"_m], "backbone.pth", {.subtree = "backbone.fc1"});
  load(net, "mlp.pth", {.rename = [](std::string_view name) { return std::string(name); }});
}
