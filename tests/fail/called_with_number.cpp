// expect: Linear<4, 2> needs a tensor; it was called with int
#include <lamina/layers/linear.hpp>
#include <lamina/meta/meta.hpp>

using namespace lamina;

auto call(const Linear<4, 2>& fc) {
#ifdef CONTROL
  Graph graph;
  graph.nodes.resize(1);
  return fc(Meta<Shape<1, 4>>{&graph, 0}).dims;
#else
  return fc(4);
#endif
}
