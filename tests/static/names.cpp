// A user who says `using namespace lamina;` keeps short names for types of their own: lamina's for its insides are in
// namespaces below.
#include <lamina.hpp>
using namespace lamina;

using Callback = int;
using Extent = int;
using List = int;
using Owned = int;
using Place = int;
using Plan = int;
using Source = int;
using Step = int;
using Table = int;
constexpr int made = Callback{} + Extent{} + List{} + Owned{} + Place{} + Plan{} + Source{} + Step{} + Table{};
static_assert(made == 0);
