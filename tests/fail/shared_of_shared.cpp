// expect: shared: "b" is shared itself: name the module that it stands for
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/reflect/keys.hpp>

using namespace lamina;

#ifdef CONTROL
using Net = Sequential<named<"a", Linear<4, 4>>, named<"b", shared<"a">>, named<"c", shared<"a">>>;
#else
using Net = Sequential<named<"a", Linear<4, 4>>, named<"b", shared<"a">>, named<"c", shared<"b">>>;
#endif
constexpr auto keys = state_dict_keys<Net>;
