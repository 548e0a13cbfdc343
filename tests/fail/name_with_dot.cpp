// expect: lamina: a child's name has no dot: dots separate the parts of a path
#include <lamina/compose/module_dict.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

#ifdef CONTROL
ModuleDict<named<"layer1", Linear<8, 4>>> dict;
#else
ModuleDict<named<"layer.1", Linear<8, 4>>> dict;
#endif
