// expect: replace: no type parameter of Net stands for its member body, a Sequential
#include <lamina/compose/replace.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/activations.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

#ifdef CONTROL
template <class... Replaced> struct Net {
  replaceable<"body", Sequential<Linear<4, 8>, ReLU>, Replaced...> body;
  constexpr auto operator()(auto x) const { return body(x); }
};
auto changed(Net<> net)
#else
struct Net {
  Sequential<Linear<4, 8>, ReLU> body;
  constexpr auto operator()(auto x) const { return body(x); }
};
auto changed(Net net)
#endif
{
  return replace<"body.1">(std::move(net), Tanh{});
}
