// expect: shared: no child is named "encodr"; the children are: encoder decoder
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/reflect/keys.hpp>

using namespace lamina;

#ifdef CONTROL
using Net = Sequential<named<"encoder", Linear<4, 4>>, named<"decoder", shared<"encoder">>>;
#else
using Net = Sequential<named<"encoder", Linear<4, 4>>, named<"decoder", shared<"encodr">>>;
#endif
constexpr auto keys = state_dict_keys<Net>;
