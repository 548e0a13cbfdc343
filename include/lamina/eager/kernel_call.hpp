/// From tensors to kernel calls.
#pragma once
#include "../backend/cpu/planar.hpp"
#include "../tensor/parameter.hpp"
#include "evaluation.hpp"
#include <string>

namespace lamina::inline LAMINA_ISA::eager {

inline host::Input input_of(const Storage& storage, const Dims& dims, Dtype dtype) {
  return {{storage ? storage.data() : nullptr, dims, product(dims, 1, dims.rank), dtype}};
}
inline host::Output output_of(float* data, const Dims& dims) {
  return {{data, dims, product(dims, 1, dims.rank), Dtype::float32}};
}

/// Calls the kernel of an operation that is no producer, with scratch of its own.
template <auto Op> void run_with_scratch(host::Call& call) {
  const Dims none{};
  const host::Scratch scratch =
      host::Backend::scratch_of(operation_of(Op), call.inputs > 0 ? call.in[0].dims : none,
                                call.inputs > 1 ? call.in[1].dims : none, host::Method::plain);
  call.threads = num_threads();
  const idx floats = scratch.shared + call.threads * scratch.each;
  const Storage memory = floats > 0 ? Storage::uninitialized(std::size_t(floats) * sizeof(float)) : Storage();
  if (memory) call.scratch = reinterpret_cast<float*>(memory.data());
  run(Op, call);
}

/// The name of a layer in errors; empty for a function.
using Label = Text (*)();
/// What such an error begins with.
inline Text beginning(Label label) {
  const Text owner = label();
  return owner.empty() ? Text{} : Text{} << owner << ": ";
}

[[noreturn, gnu::cold, gnu::noinline]] inline void refuse_apart(Label label, const Dims& dims, const Device& is,
                                                                const char* other, const Device& other_is) {
  throw device_error(std::string((beginning(label) << "a tensor " << dims << " is on " << is << ", " << other << " on " << other_is
                                  << ": move one of them with to(..., device)")
                                     .view()));
}
/// Throws device_error unless memory that is read together with a tensor is on its device, or is nothing.
inline void require_together(Label label, const Storage& x, const Dims& dims, const char* other,
                             const Storage& storage) {
  if (x.memory() == storage.memory() || !storage || x.device() == storage.device()) return;
  refuse_apart(label, dims, x.device(), other, storage.device());
}

/// A share of a parameter's memory. `owner` names the layer in the error that a parameter without values gives.
template <class P> Storage share(const P& parameter, Label owner) {
  if constexpr (!stored<P>) return {};
  else {
    static_assert(std::is_same_v<typename P::value_type, float>,
                  "lamina: eager evaluation computes with parameters of float");
    if (!parameter.has_values())
      throw parameter_error(std::string(
          (Text{} << owner() << ": a parameter " << P::dims << " has no values yet: load a checkpoint or write its data")
              .view()));
    return parameter.storage();
  }
}

}  // namespace lamina::inline LAMINA_ISA::eager
