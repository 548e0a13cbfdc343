// expect: two children are named "fc"
#include <lamina/compose/join.hpp>
#include <lamina/compose/sequential.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

#ifdef CONTROL
auto both(const Sequential<named<"fc", Linear<4, 4>>>& a, const Sequential<named<"fc2", Linear<4, 4>>>& b)
#else
auto both(const Sequential<named<"fc", Linear<4, 4>>>& a, const Sequential<named<"fc", Linear<4, 4>>>& b)
#endif
{
  return a + b;
}
