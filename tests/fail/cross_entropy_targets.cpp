// expect: lamina: cross_entropy: targets are class numbers of type std::int64_t
#include <lamina/eager/eager.hpp>
#include <lamina/layers/losses.hpp>

using namespace lamina;

#ifdef CONTROL
using Target = Tensor<std::int64_t, Shape<6>>;
#else
using Target = Tensor<float, Shape<6>>;
#endif
auto loss(const Tensor<float, Shape<6, 5>>& x, const Target& target) { return CrossEntropyLoss<>{}(x, target); }
