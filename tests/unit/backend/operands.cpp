/// The one place of these tests where kernels are compiled.
#include "operands.hpp"

using namespace lamina;

namespace {
template <class Op> void run_producer(const Op& op, backend_test::Run& run) {
  run.call.method = cpu::planar_method(op, run.inputs[0].dims, run.options);
  const idx out = cpu::out_channels(op);
  std::vector<float> weight(std::size_t(cpu::weight_floats(op, run.call.method)), backend_test::not_a_number);
  std::vector<float> bias(std::size_t(cpu::bias_floats(out)), backend_test::not_a_number);
  const std::vector<float> mean(std::size_t(out), 0.f), variance(std::size_t(out), 1.f);
  cpu::Weights given{.weight = run.call.parameters[0].floats(), .bias = run.call.parameters[1].floats()};
  if (run.factors)
    given.gamma = run.factors->memory.data(), given.beta = run.terms->memory.data(), given.mean = mean.data(),
    given.variance = variance.data();
  cpu::pack(op, run.call.method, given, weight.data(), bias.data());
  cpu::Call call = run.call;
  call.parameters[0].data = weight.data();
  call.parameters[1].data = bias.data();
  cpu::run_planar(op, call);
}
}  // namespace

void backend_test::Run::into(const Operation& op, Operand& y) {
  call.in = inputs.data();
  call.inputs = int(inputs.size());
  call.out = y.out();
  if (is<ops::Conv2d>(op)) run_producer(as<ops::Conv2d>(op), *this);
  else if (is<ops::ConvTranspose2d>(op)) run_producer(as<ops::ConvTranspose2d>(op), *this);
  else if (is<ops::Linear>(op)) run_producer(as<ops::Linear>(op), *this);
  else {
    const Dims second = inputs.size() > 1 ? inputs[1].dims : Dims{};
    const cpu::Scratch scratch = cpu::Backend::scratch_of(op, inputs[0].dims, second, cpu::Method::plain);
    std::vector<float> memory(std::size_t(scratch.shared + call.threads * scratch.each), not_a_number);
    call.scratch = memory.data();
    cpu::run<cpu::all_kernels>(op, call);
  }
  CHECK(y.gaps_untouched());
}

void backend_test::Run::into(const Operation& op, BlockedOperand& y) {
  call.in = inputs.data();
  call.inputs = int(inputs.size());
  call.out = y.out();
  cpu::run<cpu::all_kernels>(op, call);
  CHECK(y.memory.gaps_untouched());
}
