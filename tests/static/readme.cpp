// The program of README.md.
#include <lamina.hpp>
using namespace lamina;

using Mlp = Sequential<named<"fc1", Linear<784, 256>>, named<"relu1", ReLU>, named<"fc2", Linear<256, 10>>>;
static_assert(parameter_count<Mlp> == 203'530);

int main() {
  Mlp net;
  load(net, "mlp.pth");  // throws with every missing, unexpected and mismatched name
  Tensor<float, Shape<1, 784>> x;
  auto y = net(x);                            // eager
  auto engine = compile<Shape<1, 784>>(net);  // planned
  auto z = engine(x);
}
