// expect: neither a module nor a parameter is at "fc.gain"
#include <lamina/layers/linear.hpp>
#include <lamina/reflect/keys.hpp>

using namespace lamina;

struct Net {
  Linear<4, 2> fc;
};

#ifdef CONTROL
static_assert(trainable_parameter_count<Net, frozen<"fc.bias">> == 8);
#else
static_assert(trainable_parameter_count<Net, frozen<"fc.gain">> == 8);
#endif
