/// torch.nn.DataParallel.
#pragma once
#include <utility>

namespace lamina {

/// A net whose names all begin with `module.`, as PyTorch saves what ran on several devices.
///   DataParallel<models::ResNet50> net;
///   net.module.fc;
template <class Net> struct DataParallel {
  Net module;

  template <class... X> constexpr auto operator()(X&&... x) const { return module(std::forward<X>(x)...); }
};

}  // namespace lamina
