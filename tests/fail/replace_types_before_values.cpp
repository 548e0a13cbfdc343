// expect: replace: no type parameter of Net stands for its member fc, a Linear<8, 4>: write template <class T> struct
// Net with a member T fc; at most six values come before the types
#include <lamina/compose/replace.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

// C++ cannot match an argument list of types and then values.
#ifdef CONTROL
template <int In, class Fc> struct Net {
#else
template <class Fc, int In> struct Net {
#endif
  Linear<In, 8> body;
  Fc fc;
  constexpr auto operator()(auto x) const { return fc(body(x)); }
};

#ifdef CONTROL
auto changed(Net<4, Linear<8, 4>> net)
#else
auto changed(Net<Linear<8, 4>, 4> net)
#endif
{
  return replace<"fc">(std::move(net), Linear<8, 2>{});
}
