// expect: lamina: ModuleList names its children by position
#include <lamina/compose/module_list.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

#ifdef CONTROL
ModuleList<Linear<8, 4>> list;
#else
ModuleList<named<"fc", Linear<8, 4>>> list;
#endif
