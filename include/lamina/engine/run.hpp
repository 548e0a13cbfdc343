/// Walks a table of steps: places become pointers, and every step calls its kernel.
#pragma once
#include "../backend/cpu/run.hpp"
#include "../plan/plan.hpp"

namespace lamina::inline LAMINA_ISA {

namespace execution {
/// The memory that places refer to.
struct Memory {
  float* arena = nullptr;
  const float* packed = nullptr;
  const void* const* inputs = nullptr;
  void* const* outputs = nullptr;
  float* scratch = nullptr;
};

inline const void* address_of(const Place& place, const Memory& memory) {
  switch (place.source) {
  case Source::input: return memory.inputs[place.index];  // whole tensors, of any type
  case Source::arena: return memory.arena + place.offset;
  case Source::weights: return memory.packed + place.offset;
  case Source::output: return static_cast<const float*>(memory.outputs[place.index]) + place.offset;
  case Source::nowhere: break;
  }
  return nullptr;
}
inline cpu::Input input_at(const Place& place, const Memory& memory) {
  return {{address_of(place, memory), place.dims, place.item_stride, place.dtype}};
}

/// Runs one step. `room` has space for the operands of any step.
template <std::uint64_t Kernels>
void run_step(const Step& step, const Place* operands, const Memory& memory, cpu::Input* room) {
  if (step.operands == 0) return;
  for (int i = 0; i < step.operands; ++i) room[i] = input_at(operands[step.first_operand + i], memory);
  cpu::Call call;
  call.in = room;
  call.inputs = step.operands - step.has_residual;
  call.out = {{const_cast<void*>(address_of(step.out, memory)), step.out.dims, step.out.item_stride, step.out.dtype}};
  for (int k = 0; k < 4; ++k)
    if (step.packed[k] >= 0) call.parameters[k].data = memory.packed + step.packed[k];
  call.epilogue.activation = step.activation;
  if (step.has_residual) call.epilogue.residual = room + call.inputs;
  call.scratch = memory.scratch;
  cpu::run<Kernels>(step.operation, call);
}
}  // namespace execution

}  // namespace lamina::inline LAMINA_ISA
