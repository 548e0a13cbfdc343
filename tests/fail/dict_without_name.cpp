// expect: lamina: ModuleDict needs a name for every child
#include <lamina/compose/module_dict.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

#ifdef CONTROL
ModuleDict<named<"fc", Linear<8, 4>>> dict;
#else
ModuleDict<Linear<8, 4>> dict;
#endif
