// expect: ModuleDict has no forward: ask for its children by name, or use Sequential
#include <lamina/compose/module_dict.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Net {
#ifdef CONTROL
  Sequential<named<"fc", Linear<4, 4>>> layers;
#else
  ModuleDict<named<"fc", Linear<4, 4>>> layers;
#endif
  constexpr auto operator()(auto x) const { return layers(x); }
};
using Out = output_shape<Net, Shape<1, 4>>;
static_assert(Out::dims.rank > 0);
