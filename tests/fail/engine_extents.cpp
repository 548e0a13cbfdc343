// expect: this model is compiled for [1, 4]; the argument is [1, 5]
#include <lamina/engine/compile.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

auto run(const Linear<4, 2>& net) {
  auto engine = compile<Shape<1, 4>>(net);
#ifdef CONTROL
  return engine(Tensor<float, Shape<1, 4>>());
#else
  return engine(Tensor<float, Shape<1, 5>>());
#endif
}
