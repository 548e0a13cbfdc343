// Without optimisation every function that is named has to be there for the linker, and constants that are only read
// may have an address: a small net goes through what programs do with nets. What it computes was computed by hand.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <lamina.hpp>
#include <sstream>
using namespace lamina;

namespace {
/// An aggregate, whose members' names are read from their addresses, around a container.
struct Net {
  Sequential<named<"conv", Conv2d<1, 2, conv{.kernel_size = 3}>>, named<"bn", BatchNorm2d<2>>, ReLU, Flatten<>>
      features;
  Linear<8, 3> fc;

  constexpr auto operator()(auto x) const { return fc(features(x)); }
};

template <class P> void fill(P& parameter, float value) {
  for (float& element : parameter.span()) element = value;
}
void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::exit(1);
}
/// Of an image of twos: 9 * 2 + 0.5 = 18.5, normalised (18.5 - 10.5) / 2 = 4, in eight features.
template <class Y> void require_result(const Y& y, const char* what) {
  for (int i = 0; i < 3; ++i) {
    const float error = y.data()[i] - (8 * 4 - 1);
    require(-1e-3f < error && error < 1e-3f, what);
  }
}
}  // namespace

int main() {
  Net net;
  auto& conv = net.features["conv"_m];
  auto& bn = net.features["bn"_m];
  fill(conv.weight, 1), fill(conv.bias, 0.5f);
  fill(bn.weight, 1), fill(bn.bias, 0);
  fill(bn.running_mean, 10.5f), fill(bn.running_var, 4);
  *bn.num_batches_tracked.data() = 0;
  fill(net.fc.weight, 1), fill(net.fc.bias, -1);

  const std::string path =
      std::filesystem::temp_directory_path() / ("lamina_unoptimized_" + std::to_string(getpid()) + ".pth");
  save(net, path);
  Net loaded;
  load(loaded, path);
  std::filesystem::remove(path);

  Tensor<float, Shape<1, 1, 4, 4>> x;
  for (float& element : x.span()) element = 2;
  require_result(Tensor<float, Shape<1, 3>>(loaded(x)), "eager evaluation is wrong");
  auto engine = compile<Shape<1, 1, 4, 4>>(loaded);
  require_result(engine(x), "the compiled model is wrong");

  std::ostringstream text;
  text << loaded;
  require(text.str() == "Net(\n"
                        "  (features): Sequential(\n"
                        "    (conv): Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1))\n"
                        "    (bn): BatchNorm2d(2, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)\n"
                        "    (2): ReLU()\n"
                        "    (3): Flatten(start_dim=1, end_dim=-1)\n"
                        "  )\n"
                        "  (fc): Linear(in_features=8, out_features=3, bias=True)\n"
                        ")",
          "the net is printed otherwise than by PyTorch");
}
