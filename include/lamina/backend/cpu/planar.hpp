/// Producers on planar operands: blocked copies of what the kernel reads and writes come between.
#pragma once
#include "../../tensor/storage.hpp"
#include "backend.hpp"

namespace lamina::inline LAMINA_ISA::host {

namespace detail {
/// A blocked tensor of these extents in memory of its own.
struct Blocked {
  Storage memory;
  Dims dims;

  explicit Blocked(const Dims& d)
      : memory(Storage::uninitialized(std::size_t(elements(d, Layout::blocked)) * sizeof(float))), dims(d) {}
  template <class Operand> Operand as() const {
    return {{memory.data(), dims, item_elements(dims, Layout::blocked), Dtype::float32, Layout::blocked}};
  }
  Input copy_of(const Input& x, int threads) const {
    change_layout(x, as<Output>(), threads);
    return as<Input>();
  }
};
}  // namespace detail

/// How a producer on planar operands is computed.
template <class Op> Method planar_method(const Op& op, const Dims& x, const CompileOptions& options) {
  const Layout given = Layout::planar;
  const Layouts layouts = Backend::layouts_of(Operation(op), &x, &given, 1, options);
  return method_of(op, x, layouts.operands, options, options.weight_budget / idx(sizeof(float)));
}

/// Runs a producer, its parameters packed for call.method, on planar operands. Scratch is its own.
template <class Op> void run_planar(const Op& op, Call call) {
  const Dims& x = call.in[0].dims;
  const Scratch scratch = scratch_of(op, x, call.method);
  const Storage memory = Storage::uninitialized(
      std::size_t(round_up(scratch.shared, channel_block) + call.threads * scratch.each) * sizeof(float));
  call.scratch = reinterpret_cast<float*>(memory.data());
  if constexpr (std::is_same_v<Op, ops::Linear>) return run(op, call);
  else {
    const bool gathered = call.method == Method::gathered;
    const detail::Blocked in(gathered ? Dims{0, 0, 0, 0} : x), out(call.out.dims),
        sum(call.epilogue.residual ? call.out.dims : Dims{0, 0, 0, 0});
    const Input input = gathered ? call.in[0] : in.copy_of(call.in[0], call.threads);
    const Input residual = call.epilogue.residual ? sum.copy_of(*call.epilogue.residual, call.threads) : Input{};
    const Output planar = std::exchange(call.out, out.as<Output>());
    call.in = &input;
    if (call.epilogue.residual) call.epilogue.residual = &residual;
    run(op, call);
    detail::change_layout(out.as<Input>(), planar, call.threads);
  }
}

}  // namespace lamina::inline LAMINA_ISA::host
