/// Chapter 1: three ways to define a model. The net is Linear(784, 256), ReLU, Linear(256, 10).
///   chapter1_define
#include <iostream>
#include <lamina.hpp>

using namespace lamina;

// Sequential: layers in order. It chains its children and needs no forward of its own.
using Positional = Sequential<Linear<784, 256>, ReLU, Linear<256, 10>>;
using Named = Sequential<named<"fc1", Linear<784, 256>>, named<"relu1", ReLU>, named<"fc2", Linear<256, 10>>>;

// ModuleList: a model holds layers and says itself in which order it calls them, with what in between.
struct Residual {
  ModuleList<Linear<784, 256>, Linear<256, 256>, Linear<256, 10>> layers;

  constexpr auto operator()(auto x) const {
    auto h = relu(layers[0_c](x));
    auto k = relu(layers[1_c](h)) + h;
    return layers[-1_c](k);
  }
};

// ModuleDict: the same by name.
struct Switchable {
  ModuleDict<named<"linear", Linear<784, 256>>, named<"act", ReLU>, named<"output", Linear<256, 10>>> layers;

  constexpr auto operator()(auto x) const { return layers["output"_m](layers["act"_m](layers["linear"_m](x))); }
};

// The compiler knows all of it. A wrong number here is an error of one readable line.
static_assert(parameter_count<Positional> == 784 * 256 + 256 + 256 * 10 + 10);
static_assert(state_dict_keys<Named>[2] == "fc2.weight");
static_assert(std::is_same_v<output_shape<Residual, Shape<32, 784>>, Shape<32, 10>>);
static_assert(macs<Switchable, Shape<1, 784>> == 784 * 256 + 256 * 10);

int main() {
  std::cout << "Sequential, by position:\n" << Positional{} << "\n\nSequential, by name:\n" << Named{} << '\n';

  // A type cannot change, so an edit makes a new one and moves the weights.
  auto list = append(ModuleList<Linear<784, 256>, ReLU>{}, Linear<256, 10>{});
  std::cout << "\nModuleList, after append:\n" << list << '\n';
  auto dict = append<"output">(ModuleDict<named<"linear", Linear<784, 256>>, named<"act", ReLU>>{}, Linear<256, 10>{});
  std::cout << "\nModuleDict, after append<\"output\">:\n" << dict << '\n';

  // Slices, sums and products are Python's. A product calls the same modules again, with the same parameters.
  auto deep = slice<0, 2>(Positional{}) + Sequential<Linear<256, 256>, ReLU>{} * 3_c + slice<2>(Positional{});
  static_assert(parameter_count<decltype(deep)> == parameter_count<Positional> + 256 * 256 + 256);
  std::cout << "\nA block three times over between two slices:\n" << deep << '\n';

  std::cout << "\nkeys of the named Sequential:";
  for (auto key : state_dict_keys<Named>) std::cout << ' ' << key;
  std::cout << '\n';

  // All of them run: weights trained in PyTorch load by name.
  Named net;
  load(net, LAMINA_EXAMPLE_DATA "/digits_mlp.pth");
  Tensor<float, Shape<1, 784>> x;
  x.fill(0.5f);
  const auto logits = net(x);
  std::cout << "logits of a grey picture:";
  for (float logit : logits.span()) std::cout << ' ' << logit;
  std::cout << '\n';
}
