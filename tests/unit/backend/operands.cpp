/// The one place of these tests where kernels are compiled.
#include "operands.hpp"

void backend_test::Run::into(const Operation& op, Operand& y) {
  std::vector<float> scratch(std::size_t(cpu::scratch_floats(op, inputs[0].dims)), not_a_number);
  call.in = inputs.data();
  call.inputs = int(inputs.size());
  call.out = y.out();
  call.scratch = scratch.data();
  cpu::run<cpu::all_operations>(op, call);
  CHECK(y.gaps_untouched());
}
