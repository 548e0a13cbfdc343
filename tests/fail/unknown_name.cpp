// expect: no child is named "fcc"; the children are: fc head
#include <lamina/compose/module_dict.hpp>
#include <lamina/layers/linear.hpp>

using namespace lamina;

using Dict = ModuleDict<named<"fc", Linear<8, 4>>, named<"head", Linear<4, 2>>>;
auto& child(Dict& dict) {
#ifdef CONTROL
  return dict["fc"_m];
#else
  return dict["fcc"_m];
#endif
}
