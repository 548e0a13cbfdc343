/// The source of a kernel under construction.
#pragma once
#include "../../core/error.hpp"
#include "axes.hpp"
#include "hash.hpp"
#include "lower.hpp"
#include "prelude.hpp"
#include <bit>

namespace lamina::gpu {

/// An element type as prelude.hpp and CUDA C++ call it.
[[gnu::noinline]] inline std::string_view type_name(Dtype dtype) {
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

/// A float as it is, whatever the locale: 0x3p-1f for 1.5.
[[gnu::noinline]] inline std::string literal(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value), exponent = bits >> 23 & 255;
  if (exponent == 255) return "__builtin_bit_cast(float, 0x" + hexadecimal(bits) + "u)";
  std::uint32_t mantissa = (bits & 0x7fffff) | (exponent != 0 ? 0x800000 : 0);
  int power = (exponent != 0 ? int(exponent) : 1) - 150;
  while (mantissa != 0 && mantissa % 2 == 0) mantissa /= 2, ++power;
  return (bits >> 31 != 0 ? "-0x" : "0x") + hexadecimal(mantissa) + "p" + std::to_string(power) + "f";
}

/// An activation of `v`, as an expression.
[[gnu::noinline]] inline std::string activated(const ops::Activation& activation, std::string v) {
  using enum ops::Activation::Kind;
  switch (activation.kind) {
  case identity: return v;
  case tanh: return "tanhf(" + v + ")";
  case scale: return literal(activation.parameter) + " * (" + v + ")";
  case shift: return v + " + " + literal(activation.parameter);
  case leaky_relu: return "leaky_relu(" + v + ", " + literal(activation.parameter) + ")";
  default: return std::string(activation.function()) + "(" + v + ")";
  }
}

/// Text of a kernel. Its constants, types and functions stand in a namespace of the kernel's name:
///   X0, X1, ... types of the operands, of which `x0`, `x1`, ... are the arguments; likewise Residual and `residual`
///   Weight, `weight`, `bias`, `mean`, `variance`: the parameters, null where absent
///   Y, `y`      the result
///   index       type of element numbers
///   put         adds the residual to neighbouring results, applies the activation and stores them
///   first(), step   the numbers that a thread goes through
class Source {
  const KernelCall& call_;
  std::string declarations_{}, body_{};

 public:
  explicit Source(const KernelCall& call) : call_(call) {
    declare_types();
    declare_put();
  }

  const KernelCall& call() const { return call_; }
  int operands() const { return call_.operand_count - call_.has_residual; }
  const KernelTensor* residual() const { return call_.has_residual ? call_.operands + operands() : nullptr; }

  void constant(std::string_view name, idx value) { declare("constexpr index ", name, std::to_string(value)); }
  void constant(std::string_view name, float value) { declare("constexpr float ", name, literal(value)); }
  void constant(std::string_view name, bool value) { declare("constexpr bool ", name, value ? "true" : "false"); }
  /// A function of an element number.
  void function(std::string_view name, std::string_view argument, std::string_view result) {
    declarations_ += "__device__ inline index ";
    declarations_.append(name).append("(index ").append(argument).append(") { return ");
    declarations_.append(result).append("; }\n");
  }
  /// Other declarations.
  void text(std::string_view declaration) { declarations_ += declaration; }
  Source& operator<<(std::string_view body) {
    body_ += body;
    return *this;
  }

  /// The finished kernel, for so many threads' work: blocks of `threads` as far as they have something to do.
  inline Kernel kernel(std::string_view family, idx work, unsigned threads = 256) const;

  /// Blocks beyond this many wait for others; loops go on from there.
  static constexpr idx most_blocks = 8192;

 private:
  void declare(std::string_view type, std::string_view name, std::string_view value) {
    declarations_.append(type).append(name).append(" = ").append(value).append(";\n");
  }
  static constexpr std::string_view parameter_names[] = {"weight", "bias", "mean", "variance"};
  /// True where bodies name weight and bias, whether they are there or not.
  bool names_parameters() const {
    const Operation& op = call_.operation;
    return role_of(op) == ops::Role::producer || is<ops::Matmul>(op) || is<ops::BatchNorm>(op) ||
           is<ops::LayerNorm>(op) || is<ops::GroupNorm>(op);
  }
  inline void declare_types();
  inline void declare_put();
  inline std::string arguments() const;
  inline std::string absent_arguments() const;
};

namespace detail {
/// Element numbers take 32 bits where a loop's step beyond the last of them does not overflow.
[[gnu::noinline]] inline bool has_small_numbers(const KernelCall& call) {
  constexpr idx limit = idx(1) << 30;
  bool small = count(call.out.dims) < limit;
  for (int i = 0; i < call.operand_count; ++i) small = small && count(call.operands[i].dims) < limit;
  if (role_of(call.operation) == ops::Role::producer)
    small = small && count(producer_of(call.operation, call.operands[0].dims, call.out.dims).filter) < limit;
  return small;
}
}  // namespace detail

inline void Source::declare_types() {
  const auto alias = [&](std::string_view name, Dtype dtype) { declare("using ", name, type_name(dtype)); };
  declare("using ", "index", detail::has_small_numbers(call_) ? "int" : "long long");
  for (int i = 0; i < operands(); ++i) alias("X" + std::to_string(i), call_.operands[i].dtype);
  alias("Residual", residual() ? residual()->dtype : Dtype::float32);
  if (names_parameters())
    alias("Weight", role_of(call_.operation) == ops::Role::producer ? call_.weights : Dtype::float32);
  alias("Y", call_.out.dtype);
}

inline void Source::declare_put() {
  std::string sum = "v[k]";
  text("template <class Value, int N>\n"
       "__device__ inline void put(Y* y, const Residual* residual, index at, Value (&v)[N]) {\n");
  if (residual() && count(call_.out.dims) > 0) {
    const Axes axes = axes_over({*residual()}, call_.out);
    text("  float added[N];\n");
    if (axes.rank < 2 && axes.inner_step(0) == axes.inner_step(1)) text("  load(residual + at, added);\n");
    else
      text("#pragma unroll\n  for (index k = 0; k < N; ++k) added[k] = to<float>(residual[" +
           axes.offset(0, "(at + k)") + "]);\n");
    sum += " + added[k]";
  }
  const std::string result = activated(call_.activation, sum);
  if (result != "v[k]") text("#pragma unroll\n  for (int k = 0; k < N; ++k) v[k] = " + result + ";\n");
  text("  store(y + at, v);\n}\n");
}

inline std::string Source::arguments() const {
  std::string list;
  for (int i = 0; i < operands(); ++i) {
    const std::string number = std::to_string(i);
    list += "const X" + number + "* x" + number + ", ";
  }
  if (residual()) list += "const Residual* residual, ";
  for (int i = 0; i < 4; ++i)
    if (call_.parameters[i]) {
      list += i == 0 ? "const Weight* " : "const float* ";
      list.append(parameter_names[i]).append(", ");
    }
  return list + "Y* y";
}

/// Names that bodies may use all the same.
inline std::string Source::absent_arguments() const {
  std::string text;
  const auto add = [&](std::string_view name) {
    text.append("  constexpr const float* ").append(name).append(" = nullptr;\n");
  };
  if (!residual()) add("residual");
  for (int i = 0; i < 2 && names_parameters(); ++i)
    if (!call_.parameters[i]) add(parameter_names[i]);
  return text;
}

inline Kernel Source::kernel(std::string_view family, idx work, unsigned threads) const {
  const idx needed = (work + threads - 1) / threads, blocks = needed < 1             ? 1
                                                              : needed < most_blocks ? needed
                                                                                     : most_blocks;
  std::string body = declarations_;
  body += "constexpr int threads = " + std::to_string(threads) + ";\nconstexpr index step = index(" +
          std::to_string(blocks) + ") * threads;\n";
  body += "__device__ inline index first() { return index(blockIdx.x) * threads + index(threadIdx.x); }\n";
  const std::string tail = "(" + arguments() + ") {\n" + absent_arguments() + body_ + "}\n";

  Kernel kernel{.blocks = unsigned(blocks), .threads = threads, .arguments = call_.operand_count + 1};
  for (const bool there : call_.parameters) kernel.arguments += there;
  kernel.name = std::string(family) + "_" + hexadecimal(hash_of(body + tail));
  kernel.source = "namespace lamina::in_" + kernel.name + " {\n" + body +
                  "extern \"C\" __global__ void __launch_bounds__(" + std::to_string(threads) + ") " + kernel.name +
                  tail + "}\nusing lamina::in_" + kernel.name + "::" + kernel.name + ";\n";
  return kernel;
}

}  // namespace lamina::gpu
