/// Chapter 4: weights that PyTorch saved, as a state_dict, as a whole model, as safetensors; and files that do not fit.
///   chapter4_load
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <lamina.hpp>

using namespace lamina;

using Mlp = Sequential<named<"fc1", Linear<784, 256>>, named<"relu1", ReLU>, named<"fc2", Linear<256, 10>>>;

const std::string data = LAMINA_EXAMPLE_DATA;

int main() {
  // A file is recognised by its first bytes, not by its name. No code in it is ever run.
  Mlp from_state_dict, from_whole_model, from_safetensors;
  load(from_state_dict, data + "/digits_mlp.pth");
  load(from_whole_model, data + "/digits_mlp_whole.pt");
  load(from_safetensors, data + "/digits_mlp.safetensors");

  const auto same = [](const auto& a, const auto& b) {
    return std::equal(a.span().begin(), a.span().end(), b.span().begin());
  };
  std::cout << "the three files hold the same weights: " << std::boolalpha
            << (same(from_state_dict["fc1"_m].weight, from_whole_model["fc1"_m].weight) &&
                same(from_state_dict["fc1"_m].weight, from_safetensors["fc1"_m].weight))
            << '\n';

  // What is in a file can be listed without a model.
  for (const io::TensorRecord& tensor : io::read_state_dict(data + "/digits_mlp.pth")) {
    std::cout << tensor.name << ' ' << dtype_name(tensor.dtype) << " [";
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) std::cout << (i ? ", " : "") << tensor.shape[i];
    std::cout << "]\n";
  }

  // Loading is strict. The error lists every name, and the model stays as it was.
  Sequential<named<"fc1", Linear<784, 128>>, named<"relu1", ReLU>, named<"head", Linear<128, 10>>> other;
  try {
    load(other, data + "/digits_mlp.pth");
  } catch (const load_error& e) {
    std::cout << "\nload_error: " << e.what() << '\n';
    std::cout << "the model still has no values: " << !other["fc1"_m].weight.has_values() << '\n';
  }
  try {
    load(other, data + "/coins.png");
  } catch (const checkpoint_error& e) { std::cout << "\ncheckpoint_error: " << e.what() << '\n'; }
}
