/// Chapter 4: several devices. DataParallel puts `module.` before every name; every combination of saving and loading
/// on one and on several works. Files go to the current folder.
///   chapter4_parallel
#include <algorithm>
#include <cmath>
#include <iostream>
#include <lamina.hpp>

using namespace lamina;

using Mlp = Sequential<named<"fc1", Linear<784, 256>>, named<"relu1", ReLU>, named<"fc2", Linear<256, 10>>>;

const std::string data = LAMINA_EXAMPLE_DATA;

int main() {
  Mlp one;
  load(one, data + "/digits_mlp.pth");
  save(one, "one.pth");

  // Saved on one, loaded for several: fill the net inside, or add the prefix; or wrap what is loaded.
  DataParallel<Mlp> several(parallel::host_devices(2));
  load(several.module(), "one.pth");
  load(several, "one.pth", {.add_prefix = "module."});
  DataParallel<Mlp> wrapped(one, parallel::host_devices(2));

  // Saved on several, loaded on one: save the net inside; or wrap first; or drop the prefix.
  save(several.module(), "inner.pth");
  save(several, "several.pth");
  std::cout << "the first name: " << io::read_state_dict("several.pth")[0].name << '\n';
  load(one, "inner.pth");
  load(wrapped, "several.pth");
  one = wrapped.module();
  load(one, "several.pth", {.drop_prefix = "module."});
  load(one, "several.pth", {.match_wrappers = true});  // module. and _orig_mod. as needed, in both directions

  // Saved on several, loaded on several others; and models saved whole.
  DataParallel<Mlp> others({{Device::Kind::cpu, 2}, {Device::Kind::cpu, 5}, {Device::Kind::cpu, 7}});
  load(others, "several.pth");
  save_model(several, "several_whole.pt");
  load_model(others, "several_whole.pt");
  load_model(one, "several_whole.pt", "module");

  // The forward divides the batch, 10 pictures as 4, 4 and 2, and joins what the replicas give.
  Tensor<float, Shape<10, 784>> x;
  for (idx i = 0; i < x.size(); ++i) x.data()[i] = float(i % 97) / 97;
  const Tensor<float, Shape<10, 10>> y = others(x), alone = one(x);
  float difference = 0;
  for (idx i = 0; i < y.size(); ++i) difference = std::max(difference, std::abs(y.data()[i] - alone.data()[i]));
  std::cout << "three devices and one differ by less than 1e-5: " << std::boolalpha << (difference < 1e-5f) << '\n';
  std::cout << others << '\n';
}
