// expect: fan_in and fan_out need at least two dimensions, the parameter is [8]
#include <lamina/init/variance.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

void initialise(Linear<4, 8>& layer, Generator& generator) {
#ifdef CONTROL
  kaiming_normal_(layer.weight, generator);
#else
  kaiming_normal_(layer.bias, generator);
#endif
}
