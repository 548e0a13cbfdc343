/// The one place of these tests where kernels are compiled.
#include "operands.hpp"

using namespace lamina;

namespace {
using Floats = std::vector<float>;

/// A producer's parameters, packed.
struct Packed {
  Floats weight, bias;
  template <class Op> Packed(const Op& op, const backend_test::Run& run) {
    const idx out = host::out_channels(op);
    weight.assign(std::size_t(host::weight_floats(op, run.call.method)), backend_test::not_a_number);
    bias.assign(std::size_t(host::bias_floats(out)), backend_test::not_a_number);
    const Floats mean(std::size_t(out), 0.f), variance(std::size_t(out), 1.f);
    ProducerWeights given{.weight = run.call.parameters[0].floats(), .bias = run.call.parameters[1].floats()};
    if (run.factors)
      given.gamma = run.factors->memory.data(), given.beta = run.terms->memory.data(), given.mean = mean.data(),
      given.variance = variance.data();
    host::pack(op, run.call.method, given, weight.data(), bias.data());
  }
  host::Call call(const backend_test::Run& run) const {
    host::Call call = run.call;
    call.parameters[0].data = weight.data();
    call.parameters[1].data = bias.data();
    return call;
  }
};

template <class Op> void run_producer(const Op& op, backend_test::Run& run) {
  run.call.method = host::planar_method(op, run.inputs[0].dims, run.options);
  const Packed packed(op, run);
  host::run_planar(op, packed.call(run));
}

/// Runs an operation with scratch of exactly the size that it asks for.
void run_with_scratch(const Operation& op, host::Call call) {
  const Dims second = call.inputs > 1 ? call.in[1].dims : Dims{};
  const host::Scratch scratch = host::Backend::scratch_of(op, call.in[0].dims, second, call.method);
  Floats memory(std::size_t(scratch.shared + call.threads * scratch.each), backend_test::not_a_number);
  call.scratch = memory.data();
  host::run<host::all_kernels>(op, call);
}

/// A tensor in a layout.
struct InLayout {
  Dims dims;
  Layout layout;
  Floats memory;
  InLayout(const Dims& d, Layout l)
      : dims(d), layout(l), memory(std::size_t(elements(d, l)), backend_test::not_a_number) {}
  template <class Operand> Operand as() {
    return {{memory.data(), dims, item_elements(dims, layout), Dtype::float32, layout}};
  }
};
void copy(const host::Input& x, const host::Output& y) {
  host::Call call;
  call.in = &x, call.inputs = 1, call.out = y;
  host::run<host::all_kernels>(ops::Copy{}, call);
}
}  // namespace

void backend_test::Run::into(const Operation& op, Operand& y) {
  call.in = inputs.data();
  call.inputs = int(inputs.size());
  call.out = y.out();
  if (is<ops::Conv2d>(op)) run_producer(as<ops::Conv2d>(op), *this);
  else if (is<ops::ConvTranspose2d>(op)) run_producer(as<ops::ConvTranspose2d>(op), *this);
  else if (is<ops::Linear>(op)) run_producer(as<ops::Linear>(op), *this);
  else run_with_scratch(op, call);
  CHECK(y.gaps_untouched());
}

void backend_test::Run::into_bfloat16(const Operation& op, Operand& y, bool planar) {
  options.precision = Precision::bfloat16;
  std::vector<Dims> dims;
  std::vector<Layout> given;
  for (const host::Input& x : inputs) {
    dims.push_back(x.dims);
    given.push_back(planar || x.dims.rank != 4 ? Layout::planar : Layout::paired);
  }
  const Layouts layouts = host::Backend::layouts_of(op, dims.data(), given.data(), int(inputs.size()), options);
  std::vector<InLayout> operands;
  operands.reserve(inputs.size() + 1);
  const auto arranged = [&](const host::Input& x, Layout layout) {
    operands.emplace_back(x.dims, layout);
    copy(x, operands.back().as<host::Output>());
    return operands.back().as<host::Input>();
  };
  for (host::Input& x : inputs) x = arranged(x, layouts.operands);
  if (call.epilogue.residual) residual = arranged(residual, layouts.result);
  InLayout result(y.dims, layouts.result);
  call.in = inputs.data();
  call.inputs = int(inputs.size());
  call.out = result.as<host::Output>();
  call.method = host::Backend::method_of(op, dims[0], layouts.operands, options, options.weight_budget / 4);
  if (forced != host::Method::plain) call.method = forced;
  if (is<ops::Conv2d>(op)) run_with_scratch(op, Packed(as<ops::Conv2d>(op), *this).call(*this));
  else if (is<ops::ConvTranspose2d>(op)) run_with_scratch(op, Packed(as<ops::ConvTranspose2d>(op), *this).call(*this));
  else if (is<ops::Linear>(op)) run_with_scratch(op, Packed(as<ops::Linear>(op), *this).call(*this));
  else run_with_scratch(op, call);
  copy(result.as<host::Input>(), y.out());
  CHECK(y.gaps_untouched());
}

void backend_test::Run::into(const Operation& op, BlockedOperand& y) {
  call.in = inputs.data();
  call.inputs = int(inputs.size());
  call.out = y.out();
  host::run<host::all_kernels>(op, call);
  CHECK(y.memory.gaps_untouched());
}
