// expect: freeze takes the parameters away from the net: write freeze<...>(std::move(net))
#include <lamina/engine/compile.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

void run(Linear<3, 4>& net) {
#ifdef CONTROL
  freeze<Shape<1, 3>>(std::move(net));
#else
  freeze<Shape<1, 3>>(net);
#endif
}
