// A user who says `using namespace lamina;` keeps short names for types of their own: lamina's for its insides are in
// namespaces below.
#include <lamina.hpp>
using namespace lamina;

using Callback = int;
using List = int;
using Owned = int;
using Table = int;
static_assert(Callback{} == 0 && List{} == 0 && Owned{} == 0 && Table{} == 0);
