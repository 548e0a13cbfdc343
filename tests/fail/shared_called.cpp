// expect: this member is "encoder" again: call encoder
#include <lamina/core/shared.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Net {
  Linear<4, 4> encoder;
  shared<"encoder"> decoder;
  constexpr auto operator()(auto x) const {
#ifdef CONTROL
    return encoder(encoder(x));
#else
    return decoder(encoder(x));
#endif
  }
};
constexpr idx cost = macs<Net, Shape<1, 4>>;
