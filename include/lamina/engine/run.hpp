/// Walks a table of steps: places become pointers, and every step calls its kernel.
#pragma once
#include "../backend/cpu/run.hpp"
#include "../core/list.hpp"
#include "../plan/plan.hpp"
#include "../tensor/storage.hpp"
#include "../threads/share.hpp"

namespace lamina::inline LAMINA_ISA {

namespace execution {
/// A plan and the packed weights of its steps: all that calls share.
struct Program {
  const planning::Step* steps = nullptr;
  int count = 0;
  const planning::Place* operands = nullptr;
  planning::Extent memory{};
  detail::List<const float*> weights{};  ///< a block a step

  /// Operands of the widest step.
  int widest() const {
    int n = 1;
    for (int i = 0; i < count; ++i)
      if (steps[i].operands > n) n = steps[i].operands;
    return n;
  }
};

/// The memory that places refer to during a call.
struct Memory {
  const Program& program;
  float* arena = nullptr;
  const void* const* inputs = nullptr;
  void* const* outputs = nullptr;
  int threads = 1;
  idx micro_batch = 0;
};

inline const void* address_of(const planning::Place& place, const Memory& memory) {
  switch (place.source) {
  case planning::Source::input:  // whole tensors, of any type
    return static_cast<const std::byte*>(memory.inputs[place.index]) +
           memory.micro_batch * count(place.dims) * idx(item_size(place.dtype));
  case planning::Source::arena: return memory.arena + place.offset;
  case planning::Source::weights: return memory.program.weights[std::size_t(place.index)];
  case planning::Source::output:
    return static_cast<const float*>(memory.outputs[place.index]) + place.offset +
           memory.micro_batch * item_count(place.dims) * place.item_stride;
  case planning::Source::nowhere: break;
  }
  return nullptr;
}
inline host::Input input_at(const planning::Place& place, const Memory& memory) {
  return {{address_of(place, memory), place.dims, place.item_stride, place.dtype, place.layout}};
}

/// Runs step number `i`. `room` has space for the operands of any step.
template <std::uint64_t Kernels> LAMINA_ONE_COPY void run_step(int i, const Memory& memory, host::Input* room) {
  const planning::Step& step = memory.program.steps[i];
  if (step.operands == 0) return;
  for (int k = 0; k < step.operands; ++k) room[k] = input_at(memory.program.operands[step.first_operand + k], memory);
  host::Call call;
  call.in = room;
  call.inputs = step.operands - step.has_residual;
  call.out = {{const_cast<void*>(address_of(step.out, memory)), step.out.dims, step.out.item_stride, step.out.dtype,
               step.out.layout}};
  for (int k = 0; k < 4; ++k)
    if (step.packed[k] >= 0) call.parameters[k].data = memory.program.weights[std::size_t(i)] + step.packed[k];
  call.epilogue.activation = step.activation;
  if (step.has_residual) call.epilogue.residual = room + call.inputs;
  call.method = host::Method(step.method);
  call.scratch = memory.arena + memory.program.memory.activations;
  call.threads = memory.threads;
  host::run<Kernels>(step.operation, call);
}

/// Runs all steps of all micro-batches in `arena`, which has the floats that the program's memory needs on so many
/// threads. `room` has space for the operands of any step, for each thread.
template <std::uint64_t Kernels>
void run_steps(const Program& program, float* arena, const void* const* inputs, void* const* outputs, int threads,
               detail::List<host::Input>& room) {
  const bool apart = program.memory.apart(threads);
  threads::share(apart ? threads : 1, program.memory.micro_batches, 1, [&](int part, threads::Work& work) {
    Memory memory{program, arena + part * program.memory.floats(1), inputs, outputs, apart ? 1 : threads};
    for (const idx micro_batch : work) {
      memory.micro_batch = micro_batch;
      for (int i = 0; i < program.count; ++i)
        run_step<Kernels>(i, memory, room.data() + part * idx(room.size()) / threads);
    }
  });
}

/// What a call changes: an arena, and room for operands. They grow when there are more threads than before.
struct Workspace {
  Storage arena{};
  int threads = 0;
  detail::List<host::Input> room{};

  void prepare(const Program& program, int wanted) {
    if (threads >= wanted) return;
    const std::size_t bytes = std::size_t(program.memory.floats(wanted)) * sizeof(float);
    if (!arena || arena.bytes() < bytes) arena = Storage::uninitialized(bytes);
    prepare_room(program, wanted);
    threads = wanted;
  }
  void prepare_room(const Program& program, int wanted) {
    const std::size_t size = std::size_t(wanted * program.widest());
    if (room.size() < size) room = detail::List<host::Input>(size);
  }
};
}  // namespace execution

}  // namespace lamina::inline LAMINA_ISA
