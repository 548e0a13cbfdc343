/// Losses. A mean or sum is one block's: it is the same in every run, and needs no memory beside.
#pragma once
#include "elementwise.hpp"
#include "rows.hpp"

namespace lamina::gpu {

namespace detail {
inline constexpr unsigned loss_threads = 1024;

inline constexpr std::string_view pair_functions = R"(
__device__ inline float mse(float x, float t) { return (x - t) * (x - t); }
__device__ inline float l1(float x, float t) { return fabsf(x - t); }
__device__ inline float bce_with_logits(float x, float t) { return relu(x) - x * t + log1pf(expf(-fabsf(x))); }
)";

inline constexpr std::string_view pair_body = R"(
  float sum = 0;
  for (index i = first(); i < groups; i += step) {
    float x[lanes], t[lanes];
    load(x0 + i * lanes, x);
    load(x1 + target_at(i * lanes), t);
#pragma unroll
    for (int k = 0; k < lanes; ++k) sum += loss(x[k], t[k]);
  }
  sum = combine<threads>(sum, Sum());
  float v[1] = {mean_of_all ? sum / float(groups * lanes) : sum};
  if (threadIdx.x == 0) put(y, residual, 0, v);
)";

/// A target that is neither a class nor ignored makes the loss NaN.
inline constexpr std::string_view cross_entropy_body = R"(    const long long target = to<long long>(x1[t_row(row)]);
    const bool counts = target != ignored, valid = target >= 0 && target < size;
    const float log_sum = most + logf(sum);
    float all = 0;
    if (smoothing != 0) {
      for (index k = member * lanes; k < size; k += team * lanes) {
        load(x + x_element(k), v);
#pragma unroll
        for (int j = 0; j < lanes; ++j) all += log_sum - v[j];
      }
      all = smoothing / float(size) * combine<team>(all, Sum());
    }
    const float own = valid ? log_sum - to<float>(x[x_element(index(target))]) : not_a_number;
    float loss[1] = {counts ? (1 - smoothing) * own + all : 0};
)";

inline constexpr std::string_view cross_entropy_each = R"(
    if (member == 0) put(y, residual, y_row(row), loss);
  }
)";
inline constexpr std::string_view cross_entropy_all = R"(
    total += member == 0 ? loss[0] : 0;
    counted += member == 0 && counts;
  }
  total = combine<threads>(total, Sum());
  counted = combine<threads>(counted, Sum());
  float v[1] = {mean_of_all ? total / counted : total};  // NaN if nothing counts, as in PyTorch
  if (threadIdx.x == 0) put(y, residual, 0, v);
)";
}  // namespace detail

[[gnu::cold]] inline Kernel make_kernel(const ops::PairLoss& op, const KernelCall& call) {
  constexpr std::string_view functions[] = {"mse", "l1", "bce_with_logits"};
  const std::string function(functions[int(op.kind)]);
  KernelSource source(call);
  source.head << detail::pair_functions;
  if (op.reduction == ops::Reduction::none)
    return elementwise(function, source, operands_of(source), function + "(a[k], b[k])");
  const KernelTensor &x = call.operands[0], &t = call.operands[1];
  const Axes axes = axes_over({t}, x);
  const idx lanes = detail::neighbours(axes, item_size(x.dtype) < 4 || item_size(t.dtype) < 4, false);
  source.constant("lanes", lanes);
  source.constant("groups", count(x.dims) / lanes);
  source.constant("mean_of_all", op.reduction == ops::Reduction::mean);
  source.function("target_at", "at", axes.offset(0, "at"));
  source.head << "__device__ inline float loss(float x, float t) { return " << function << "(x, t); }\n";
  source.body << detail::pair_body;
  return source.kernel(function, detail::loss_threads, detail::loss_threads);
}

/// The second operand holds class numbers, of any integer type.
[[gnu::cold]] inline Kernel make_kernel(const ops::CrossEntropy& op, const KernelCall& call) {
  const Dims& dims = call.operands[0].dims;
  const Strides x = strides_of(call.operands[0]), t = strides_of(call.operands[1]), y = strides_of(call.out);
  const bool each = op.reduction == ops::Reduction::none;
  Rows r(3);
  r.elements.add({dims[1], {x[1]}});
  for (int d = 0; d < dims.rank; ++d)
    if (d != 1) r.rows.add({dims[d], {x[d], t[d < 1 ? 0 : d - 1], each ? y[d < 1 ? 0 : d - 1] : 0}});
  KernelSource source(call);
  source.constant("smoothing", float(op.label_smoothing));
  source.constant("mean_of_all", op.reduction == ops::Reduction::mean);
  source.head << "constexpr long long ignored = " << op.ignore_index << ";\n";
  if (!each) source.body << "  float total = 0, counted = 0;\n";
  begin_rows(source, r, {"x", "t", "y"});
  source.body << exponentials_body << detail::cross_entropy_body << (each ? detail::cross_entropy_each : detail::cross_entropy_all);
  if (each) return source.kernel(op.name, r.rows.size() * r.team, r.threads);
  const unsigned threads = r.team > 32 ? r.team : detail::loss_threads;
  return source.kernel(op.name, threads, threads);
}

}  // namespace lamina::gpu
