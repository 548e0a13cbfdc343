/// torch.nn.ModuleList.
#pragma once
#include "container.hpp"

namespace lamina {

/// Children in order, named by position, without a forward of their own: a model indexes them or loops over them.
///   ModuleList<Linear<784, 256>, ReLU> list;
///   auto longer = append(std::move(list), Linear<256, 10>{});
///   longer[-1_c];
template <class... Child> struct ModuleList : detail::Container<Child...> {
  static_assert(detail::count_names<Child...>() == 0,
                "lamina: ModuleList names its children by position; use ModuleDict for names");
  using detail::Container<Child...>::Container;
  static constexpr bool lamina_has_forward = false, lamina_merges_equals = true;

  template <class... X> constexpr void operator()(X&&...) const {
    fail<Text{} << "ModuleList has no forward: index it or loop over its children, or use Sequential", X...>();
  }
};
template <class... Layer> ModuleList(Layer...) -> ModuleList<Layer...>;

}  // namespace lamina
