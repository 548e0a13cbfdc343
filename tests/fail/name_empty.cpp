// expect: lamina: a child's name is not empty
#include <lamina/compose/module_dict.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

#ifdef CONTROL
ModuleDict<named<"fc", Linear<8, 4>>> dict;
#else
ModuleDict<named<"", Linear<8, 4>>> dict;
#endif
