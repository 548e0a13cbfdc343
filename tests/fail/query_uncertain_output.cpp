// expect: what "block" gives is not certain: functions follow on its last layer, and may be part of it or not; ask for
// one of its layers
#include <lamina/layers/functional.hpp>
#include <lamina/layers/linear.hpp>
#include <lamina/meta/counts.hpp>

using namespace lamina;

struct Block {
  Linear<4, 4> fc;
  constexpr auto operator()(auto x) const { return cat<1>(fc(x), x); }
};
struct Net {
  Block block;
  Linear<8, 2> head;
  constexpr auto operator()(auto x) const { return head(block(x)); }
};

#ifdef CONTROL
static_assert(std::is_same_v<output_shape<Net, Shape<1, 4>, at<"block.fc">>, Shape<1, 4>>);
#else
static_assert(std::is_same_v<output_shape<Net, Shape<1, 4>, at<"block">>, Shape<1, 8>>);
#endif
