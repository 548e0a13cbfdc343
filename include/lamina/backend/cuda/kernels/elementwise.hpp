/// Kernels in which an element of the result depends on one element of each operand.
#pragma once
#include "../source.hpp"

namespace lamina::gpu {

/// A pointer argument of an elementwise kernel, and the name under which its values are known in the expression.
struct Elements {
  std::string pointer, values;
  KernelTensor tensor{};
};

namespace detail {
/// How many neighbours a thread takes: they lie side by side, or are one, in every tensor.
[[gnu::cold]] inline idx neighbours(const Axes& axes, bool any_small, bool with_rest) {
  for (int t = 0; t < axes.tensors; ++t)
    if (axes.inner_step(t) > 1) return 1;
  if (axes.rank == 0) return 1;
  idx n = any_small ? 8 : 4;
  while (!with_rest && axes.axes[axes.rank - 1].extent % n != 0) n /= 2;
  return n;
}

/// The loop over the groups of neighbours from element `from` to `to`.
[[gnu::cold]] inline void add_loop(KernelSource& source, const std::vector<Elements>& in, const Axes& axes,
                                   std::string_view expression, idx from, idx to, idx group) {
  Code& code = source.body;
  code << "  for (index i = first(); i < " << (to - from) / group << "; i += step) {\n    const index at = i * "
       << group << " + " << from << ";\n    Value result[" << group << "]";
  for (const Elements& x : in) code << ", " << x.values << "[" << group << "]";
  code << ";\n";
  for (int t = 0; t < int(in.size()); ++t) {
    const Elements& x = in[std::size_t(t)];
    const std::string offset = axes.offset(t, "at");
    if (axes.inner_step(t) == 1 || group == 1)
      code << "    load(" << x.pointer << " + (" << offset << "), " << x.values << ");\n";
    else code << "    fill(to<Value>(" << x.pointer << "[" << offset << "]), " << x.values << ");\n";
  }
  code << "#pragma unroll\n    for (int k = 0; k < " << group << "; ++k) result[k] = " << expression
       << ";\n    store(y + at, result);\n  }\n";
}
}  // namespace detail

/// y = activation(expression + residual), the expression one of `values[k]`.
[[gnu::cold]] inline Kernel elementwise(std::string_view family, KernelSource& source, std::vector<Elements> in,
                                        std::string expression, std::string_view value = "float") {
  const KernelCall& call = source.call();
  if (call.has_residual) {
    in.push_back({"residual", "added", *source.residual()});
    expression += " + added[k]";
  }
  expression = activated(call.activation, expression);
  std::vector<KernelTensor> tensors;
  bool any_small = item_size(call.out.dtype) < 4;
  for (const Elements& x : in) {
    tensors.push_back(x.tensor);
    any_small = any_small || item_size(x.tensor.dtype) < 4;
  }
  const Axes axes = axes_over(tensors, call.out);
  const idx size = count(call.out.dims), group = detail::neighbours(axes, any_small, axes.rank == 1),
            whole = size / group * group;
  source.type("Value", value);
  if (whole > 0) detail::add_loop(source, in, axes, expression, 0, whole, group);
  if (whole < size) detail::add_loop(source, in, axes, expression, whole, size, 1);
  return source.kernel(family, size / group);
}

/// The one or two operands of a call, their values named a, b.
inline std::vector<Elements> operands_of(const KernelSource& source) {
  std::vector<Elements> in;
  for (int i = 0; i < source.operands(); ++i)
    in.push_back({i == 0 ? "x0" : "x1", i == 0 ? "a" : "b", source.call().operands[i]});
  return in;
}

}  // namespace lamina::gpu
