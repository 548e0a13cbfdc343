/// What one call of an engine changes on a device.
#pragma once
#include "device_plan.hpp"

namespace lamina::gpu {

/// The work of a stream, recorded once and started as a whole: a graph of CUDA.
class RecordedWork {
  cudaGraphExec_t exec = nullptr;

 public:
  /// What enqueue() gives the stream, which does not run it.
  template <class Enqueue> RecordedWork(cudaStream_t stream, const Enqueue& enqueue) {
    // Other threads may go on with calls that a recording forbids.
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    cudaGraph_t graph = nullptr;
    try {
      enqueue();
    } catch (...) {
      static_cast<void>(cudaStreamEndCapture(stream, &graph));
      if (graph) static_cast<void>(cudaGraphDestroy(graph));
      throw;
    }
    check(cudaStreamEndCapture(stream, &graph), "cudaStreamEndCapture");
    const cudaError_t code = cudaGraphInstantiate(&exec, graph, 0);
    static_cast<void>(cudaGraphDestroy(graph));
    check(code, "cudaGraphInstantiate");
  }
  ~RecordedWork() {
    if (exec) static_cast<void>(cudaGraphExecDestroy(exec));
  }
  RecordedWork(const RecordedWork&) = delete;
  RecordedWork& operator=(const RecordedWork&) = delete;

  void launch(cudaStream_t stream) const { check(cudaGraphLaunch(exec, stream), "cudaGraphLaunch"); }
};

/// A block of memory for calls of a plan, and the recorded work on it. The first call runs task by task, since
/// libraries load code then; it is recorded at the second.
class DeviceCall {
  Storage block{};
  std::vector<void*> arguments{};
  std::optional<RecordedWork> recorded{};
  bool ran = false;

 public:
  StreamMemory& memory() const { return static_cast<StreamMemory&>(*block.memory()); }
  std::byte* data() const { return block.data(); }

  /// Makes the block at the first time.
  void prepare(const DevicePlan& plan) {
    if (block) return;
    block = Context::of(plan.device()).allocate(plan.block_bytes());
    arguments = plan.arguments_in(block.data());
  }
  /// Runs the plan once, on whatever the block holds, and records it.
  void warm_up(const DevicePlan& plan) {
    prepare(plan);
    Context& context = Context::of(plan.device());
    if (!ran) {
      const Turn turn(memory(), context.memory());
      const DeviceGuard guard(plan.device());
      check(cudaMemsetAsync(data(), 0, plan.block_bytes(), context.stream()), "cudaMemsetAsync");
      run(plan);
    }
    if (!recorded) run(plan);
    context.synchronize();
  }
  /// Enqueues the tasks of the plan on the stream of this thread.
  void run(const DevicePlan& plan) {
    Context& context = Context::of(plan.device());
    const Turn turn(memory(), context.memory());
    const auto enqueue = [&] { plan.run(context, block.data(), arguments.data()); };
    if (!ran) enqueue();
    else {
      const DeviceGuard guard(plan.device());
      static_cast<void>(context.cudnn());  // a handle is not made while work is recorded
      if (!recorded) recorded.emplace(context.stream(), enqueue);
      recorded->launch(context.stream());
    }
    ran = true;
  }
};

/// A tensor of the caller: bytes on the host, or in the memory of a device.
struct CallerBytes {
  std::byte* data = nullptr;
  std::size_t bytes = 0;
  DeviceMemory* memory = nullptr;
};

/// Runs a plan on `inputs`, and brings its results to `outputs`. Inputs may be on the host or on the plan's device;
/// with an output on the host it returns when all is done.
[[gnu::noinline]] inline void call_plan(const DevicePlan& plan, DeviceCall& call,
                                        const std::vector<CallerBytes>& inputs,
                                        const std::vector<CallerBytes>& outputs) {
  call.prepare(plan);
  StreamMemory& memory = call.memory();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const CallerBytes& x = inputs[i];
    std::byte* const to = call.data() + plan.input_at(i);
    if (x.bytes == 0) continue;
    if (x.memory) memory.copy_from(*x.memory, to, x.data, x.bytes);
    else memory.copy_from_host(to, x.data, x.bytes);
  }
  call.run(plan);
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    const CallerBytes& y = outputs[k];
    const std::byte* const from = call.data() + plan.output_at(k);
    if (y.bytes == 0) continue;
    if (y.memory) y.memory->copy_from(memory, y.data, from, y.bytes);
    else memory.copy_to_host(y.data, from, y.bytes);
  }
}

}  // namespace lamina::gpu
