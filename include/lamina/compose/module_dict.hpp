/// torch.nn.ModuleDict.
#pragma once
#include "container.hpp"

namespace lamina {

/// Named children in order, without a forward of their own: a model asks for them by name.
///   ModuleDict<named<"linear", Linear<784, 256>>, named<"act", ReLU>> dict;
///   dict["linear"_m];
template <class... Child> struct ModuleDict : detail::Container<Child...> {
  static_assert(detail::count_names<Child...>() == sizeof...(Child),
                "lamina: ModuleDict needs a name for every child: named<\"name\", Layer>");
  static_assert(detail::distinct_names<Child...>());
  using detail::Container<Child...>::Container;
  static constexpr bool lamina_has_forward = false;

  template <class... X> constexpr void operator()(X&&...) const {
    fail<Text{} << "ModuleDict has no forward: ask for its children by name, or use Sequential", X...>();
  }
};

}  // namespace lamina
