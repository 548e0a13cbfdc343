/// The weights of a step: its parameters in the order that its kernel reads, a batch norm folded in.
#pragma once
#include "../backend/cpu/backend.hpp"
#include "step_values.hpp"

namespace lamina::inline LAMINA_ISA {

namespace execution {
template <std::uint64_t Kernels, class Op>
void pack_if(const planning::Step& step, [[maybe_unused]] const ProducerWeights& values,
             [[maybe_unused]] float* block) {
  if constexpr ((Kernels & host::bit_of<Op>) != 0)
    if (is<Op>(step.operation))
      host::pack<Kernels>(as<Op>(step.operation), host::Method(step.method), values, block + step.packed[0],
                          block + step.packed[1]);
}

/// Throws device_error for a step with a parameter on a device: its kernel is one of the host.
[[gnu::noinline]] inline void require_on_host(const planning::Step& step, const calls::ModelTensors& tensors) {
  const auto require = [&](int number) {
    if (number < 0) return;
    const auto& tensor = tensors[std::size_t(number)];
    if (tensor.storage->memory())
      lamina::detail::refuse_on_host(Text{} << tensor.path, tensor.dims, tensor.storage->device());
  };
  for (int k = 0; k < 4; ++k) require(step.parameters[k]), require(step.norm[k]);
}

/// Packs a step's parameters into its block of weights. The mask has the step's kernel.
template <std::uint64_t Kernels>
void pack(const planning::Step& step, const calls::ModelTensors& tensors, float* block) {
  require_on_host(step, tensors);
  if (role_of(step.operation) == ops::Role::producer) {
    const calls::ProducerValues found(step, tensors);
    const ProducerWeights values = found.weights();
    pack_if<Kernels, ops::Conv2d>(step, values, block);
    pack_if<Kernels, ops::ConvTranspose2d>(step, values, block);
    pack_if<Kernels, ops::Linear>(step, values, block);
    return;
  }
  for (int k = 0; k < 4; ++k) {
    const calls::FloatValues values(tensors, step.parameters[k]);
    if (values) host::copy_row(values, block + step.packed[k], count(tensors[std::size_t(step.parameters[k])].dims));
  }
}
}  // namespace execution

}  // namespace lamina::inline LAMINA_ISA
