// expect: Net has constructors, private members or bases: list its members with LAMINA_MEMBERS(...)
#include <lamina/layers/linear.hpp>
#include <lamina/reflect/keys.hpp>

using namespace lamina;

class Net {
  Linear<8, 4> fc;

 public:
#ifdef CONTROL
  LAMINA_MEMBERS(fc)
#endif
  constexpr auto operator()(auto x) const { return fc(x); }
};
static_assert(parameter_count<Net> == 36);
