// expect: this model is compiled for elements of type float32, not int64
#include <lamina/engine/compile.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

auto run(const Linear<4, 2>& net) {
  auto engine = compile<Shape<1, 4>>(net);
#ifdef CONTROL
  return engine(Tensor<float, Shape<1, 4>>());
#else
  return engine(Tensor<std::int64_t, Shape<1, 4>>());
#endif
}
