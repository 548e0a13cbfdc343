// expect: replace: no type parameter of Net stands for its member fc, a Linear<8, 4>: write template <class T> struct
// Net with a member T fc
#include <lamina/compose/replace.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

#ifdef CONTROL
template <class Fc = Linear<8, 4>> struct Net {
  Linear<4, 8> body;
  Fc fc;
  constexpr auto operator()(auto x) const { return fc(body(x)); }
};
auto changed(Net<> net)
#else
struct Net {
  Linear<4, 8> body;
  Linear<8, 4> fc;
  constexpr auto operator()(auto x) const { return fc(body(x)); }
};
auto changed(Net net)
#endif
{
  return replace<"fc">(std::move(net), Linear<8, 2>{});
}
