// expect: replace: no type parameter of Net stands for its member act1
#include <lamina/compose/replace.hpp>
#include <lamina/layers/activations.hpp>

using namespace lamina;

// One parameter that types two members stands for neither.
#ifdef CONTROL
template <class Act1 = ReLU, class Act2 = ReLU> struct Net {
#else
template <class Act1 = ReLU> struct Net {
  using Act2 = Act1;
#endif
  Act1 act1;
  Act2 act2;
  constexpr auto operator()(auto x) const { return act2(act1(x)); }
};

auto changed(Net<> net) { return replace<"act1">(std::move(net), Sigmoid{}); }
