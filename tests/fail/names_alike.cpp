// expect: two children are named "fc"
#include <lamina/compose/module_dict.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

#ifdef CONTROL
ModuleDict<named<"fc", Linear<8, 4>>, named<"head", Linear<4, 2>>> dict;
#else
ModuleDict<named<"fc", Linear<8, 4>>, named<"fc", Linear<4, 2>>> dict;
#endif
