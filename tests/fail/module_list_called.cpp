// expect: ModuleList has no forward: index it or loop over its children, or use Sequential
#include <lamina/compose/module_list.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Net {
#ifdef CONTROL
  Sequential<Linear<4, 4>> layers;
#else
  ModuleList<Linear<4, 4>> layers;
#endif
  constexpr auto operator()(auto x) const { return layers(x); }
};
using Out = output_shape<Net, Shape<1, 4>>;
static_assert(Out::dims.rank > 0);
