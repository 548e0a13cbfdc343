/// compile<Shape<...>>(net): the compiled model. It owns a packed copy of the weights; the net stays as it is and may
/// go.
#pragma once
#include "dyn_engine.hpp"

namespace lamina::inline LAMINA_ISA {

/// Compiles a model for inputs of these extents: `compile<Shape<1, 3, 224, 224>>(net)`, with dyn where they vary, and
/// `Tensor<std::int64_t, Shape<8>>` for an input of another type. The counterpart of torch.compile.
template <class... Spec, class Net> Engine<Net, CompileOptions{}, Spec...> compile(const Net& net) {
  return Engine<Net, CompileOptions{}, Spec...>(net);
}
/// With options: `compile<CompileOptions{.accuracy = Accuracy::exact}, Shape<1, 3, 224, 224>>(net)`.
template <CompileOptions Options, class... Spec, class Net> Engine<Net, Options, Spec...> compile(const Net& net) {
  return Engine<Net, Options, Spec...>(net);
}

/// Compiles a model and frees the memory of its parameters: `auto engine = freeze<Shape<1, 3, 224,
/// 224>>(std::move(net))`. What is left are the packed weights. The net's parameters are without values; refresh()
/// takes a net that has some. With dyn extents the engine keeps the parameters, since later sizes may pack them
/// otherwise, but no copy of them. Throws as compile does, and then the net has lost nothing. The counterpart of
/// torch.jit.freeze.
template <CompileOptions Options, class... Spec, class Net> auto freeze(Net&& net) {
  static_assert(std::is_same_v<Net, std::remove_cvref_t<Net>>,
                "lamina: freeze takes the parameters away from the net: write freeze<...>(std::move(net))");
  return Engine<std::remove_cvref_t<Net>, Options, Spec...>(std::move(net));
}
template <class... Spec, class Net> auto freeze(Net&& net) {
  return freeze<CompileOptions{}, Spec...>(std::forward<Net>(net));
}

}  // namespace lamina::inline LAMINA_ISA
