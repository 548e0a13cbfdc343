// expect: replace: no child is named "fcc"; the children are: body fc
#include <lamina/compose/replace.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

template <class Fc = Linear<8, 4>> struct Net {
  Linear<4, 8> body;
  Fc fc;
  constexpr auto operator()(auto x) const { return fc(body(x)); }
};

auto changed(Net<> net) {
#ifdef CONTROL
  return replace<"fc">(std::move(net), Linear<8, 2>{});
#else
  return replace<"fcc">(std::move(net), Linear<8, 2>{});
#endif
}
