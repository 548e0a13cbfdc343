/// The source of a kernel under construction.
#pragma once
#include "../../core/error.hpp"
#include "axes.hpp"
#include "lower.hpp"
#include "prelude.hpp"

namespace lamina::gpu {

/// An element type as prelude.hpp and CUDA C++ call it.
[[gnu::cold]] inline std::string_view type_name(Dtype dtype) {
  switch (dtype) {
  case Dtype::float32: return "float";
  case Dtype::float16: return "float16";
  case Dtype::bfloat16: return "bfloat16";
  case Dtype::int64: return "long long";
  case Dtype::int32: return "int";
  case Dtype::uint8: return "unsigned char";
  case Dtype::boolean: return "bool";
  default: throw error("lamina::gpu: no kernel reads or writes elements of type " + std::string(dtype_name(dtype)));
  }
}

/// An activation of `v`, as an expression.
[[gnu::cold]] inline std::string activated(const ops::Activation& activation, const std::string& v) {
  using enum ops::Activation::Kind;
  Code code;
  switch (activation.kind) {
  case identity: return v;
  case tanh: code << "tanhf(" << v << ")"; break;
  case scale: code << activation.parameter << " * (" << v << ")"; break;
  case shift: code << v << " + " << activation.parameter; break;
  case leaky_relu: code << "leaky_relu(" << v << ", " << activation.parameter << ")"; break;
  default: code << activation.function() << "(" << v << ")";
  }
  return code.text;
}

/// The source of a kernel. `head` stands in a namespace of the kernel's name and has constants, functions and types:
///   X0, X1, ...   of the operands, of which `x0`, `x1`, ... are the arguments; likewise Residual and `residual`
///   Weight        of `weight`; `bias`, `mean`, `variance` are float. Absent parameters are null.
///   Y             of `y`, the result
///   index         of element numbers
///   put           adds the residual to neighbouring results, applies the activation and stores them
///   first(), step the numbers that a thread goes through
/// `body` is what every thread does.
class KernelSource {
  const KernelCall& call_;

 public:
  Code head{}, body{};

  explicit KernelSource(const KernelCall& call) : call_(call) {
    declare_types();
    declare_put();
  }

  const KernelCall& call() const { return call_; }
  int operands() const { return call_.operand_count - call_.has_residual; }
  const KernelTensor* residual() const { return call_.has_residual ? call_.operands + operands() : nullptr; }

  void constant(std::string_view name, idx value) { head << "constexpr index " << name << " = " << value << ";\n"; }
  void constant(std::string_view name, float value) { head << "constexpr float " << name << " = " << value << ";\n"; }
  void constant(std::string_view name, bool value) { head << "constexpr bool " << name << " = " << value << ";\n"; }
  void type(std::string_view name, std::string_view same_as) { head << "using " << name << " = " << same_as << ";\n"; }
  /// A function of an element number.
  void function(std::string_view name, std::string_view argument, std::string_view result) {
    head << "__device__ inline index " << name << "(index " << argument << ") { return " << result << "; }\n";
  }

  /// The finished kernel, for so many threads' work: blocks of `threads` as far as they have something to do.
  Kernel kernel(std::string_view family, idx work, unsigned threads = 256) const;

  /// Blocks beyond this many would wait for others: loops go on from there.
  static constexpr idx most_blocks = 8192;

 private:
  static constexpr std::string_view parameter_names[] = {"weight", "bias", "mean", "variance"};
  /// True where bodies name weight and bias, whether they are there or not.
  bool names_parameters() const {
    const Operation& op = call_.operation;
    return role_of(op) == ops::Role::producer || is<ops::Matmul>(op) || is<ops::BatchNorm>(op) ||
           is<ops::LayerNorm>(op) || is<ops::GroupNorm>(op);
  }
  void declare_types();
  void declare_put();
  void write_arguments(Code& code) const;
  void write_absent(Code& code) const;
};

namespace detail {
/// Element numbers take 32 bits where a loop's step beyond the last of them does not overflow.
[[gnu::cold]] inline bool has_small_numbers(const KernelCall& call) {
  constexpr idx limit = idx(1) << 30;
  bool small = count(call.out.dims) < limit;
  for (int i = 0; i < call.operand_count; ++i) small = small && count(call.operands[i].dims) < limit;
  if (role_of(call.operation) == ops::Role::producer)
    small = small && count(filter_dims(call.operation)) < limit;
  return small;
}
}  // namespace detail

[[gnu::cold]] inline void KernelSource::declare_types() {
  type("index", detail::has_small_numbers(call_) ? "int" : "long long");
  for (int i = 0; i < operands(); ++i) head << "using X" << i << " = " << type_name(call_.operands[i].dtype) << ";\n";
  type("Residual", type_name(residual() ? residual()->dtype : Dtype::float32));
  if (names_parameters())
    type("Weight", type_name(role_of(call_.operation) == ops::Role::producer ? call_.weights : Dtype::float32));
  type("Y", type_name(call_.out.dtype));
}

[[gnu::cold]] inline void KernelSource::declare_put() {
  std::string sum = "v[k]";
  head << "template <class Value, int N>\n"
          "__device__ inline void put(Y* y, const Residual* residual, index at, Value (&v)[N]) {\n";
  if (residual() && count(call_.out.dims) > 0) {
    const Axes axes = axes_over({*residual()}, call_.out);
    head << "  float added[N];\n";
    if (axes.rank < 2 && axes.inner_step(0) == axes.inner_step(1)) head << "  load(residual + at, added);\n";
    else
      head << "#pragma unroll\n  for (index k = 0; k < N; ++k) added[k] = to<float>(residual["
           << axes.offset(0, "(at + k)") << "]);\n";
    sum += " + added[k]";
  }
  const std::string result = activated(call_.activation, sum);
  if (result != "v[k]") head << "#pragma unroll\n  for (int k = 0; k < N; ++k) v[k] = " << result << ";\n";
  head << "  store(y + at, v);\n}\n";
}

[[gnu::cold]] inline void KernelSource::write_arguments(Code& code) const {
  for (int i = 0; i < operands(); ++i) code << "const X" << i << "* x" << i << ", ";
  if (residual()) code << "const Residual* residual, ";
  for (int i = 0; i < 4; ++i)
    if (call_.parameters[i]) code << (i == 0 ? "const Weight* " : "const float* ") << parameter_names[i] << ", ";
  code << "Y* y";
}

/// Names that bodies may use all the same.
[[gnu::cold]] inline void KernelSource::write_absent(Code& code) const {
  const auto write = [&](std::string_view name) { code << "  constexpr const float* " << name << " = nullptr;\n"; };
  if (!residual()) write("residual");
  for (int i = 0; i < 2 && names_parameters(); ++i)
    if (!call_.parameters[i]) write(parameter_names[i]);
}

[[gnu::cold]] inline Kernel KernelSource::kernel(std::string_view family, idx work, unsigned threads) const {
  idx blocks = (work + threads - 1) / threads;
  blocks = blocks < 1 ? 1 : blocks < most_blocks ? blocks : most_blocks;
  Code all, function;
  all << head.text << "constexpr int threads = " << idx(threads) << ";\nconstexpr index step = index(" << blocks
      << ") * threads;\n"
      << "__device__ inline index first() { return index(blockIdx.x) * threads + index(threadIdx.x); }\n";
  function << "(";
  write_arguments(function);
  function << ") {\n";
  write_absent(function);
  function << body.text << "}\n";

  Code name, source;
  name << family << "_" << hexadecimal(hash_of(all.text + function.text));
  source << "namespace lamina::in_" << name.text << " {\n"
         << all.text << "extern \"C\" __global__ void __launch_bounds__(" << idx(threads) << ") " << name.text
         << function.text << "}\nusing lamina::in_" << name.text << "::" << name.text << ";\n";
  int arguments = call_.operand_count + 1;
  for (const bool there : call_.parameters) arguments += there;
  return {std::move(name.text), std::move(source.text), unsigned(blocks), threads, arguments};
}

}  // namespace lamina::gpu
