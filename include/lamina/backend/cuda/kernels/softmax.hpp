/// Softmax and its logarithm.
#pragma once
#include "rows.hpp"

namespace lamina::gpu {

namespace detail {
inline constexpr std::string_view softmax_body = R"(    const float scale = logarithm ? logf(sum) : 1 / sum;
    for (index k = member * lanes; k < size; k += team * lanes) {
      load(x + x_element(k), v);
#pragma unroll
      for (int j = 0; j < lanes; ++j) v[j] = logarithm ? v[j] - most - scale : expf(v[j] - most) * scale;
      put(y, residual, y_row(row) + y_element(k), v);
    }
  }
)";
}  // namespace detail

/// The largest element is subtracted first: no exponential overflows, and the sum is at least 1.
[[gnu::cold]] inline Kernel make_kernel(const ops::Softmax& op, const KernelCall& call) {
  const Dims& dims = call.out.dims;
  const Strides x = strides_of(call.operands[0]), y = strides_of(call.out);
  const int axis = wrap_dim(op.dim, dims.rank);
  Rows r(2);
  for (int d = 0; d < dims.rank; ++d) (d == axis ? r.elements : r.rows).add({dims[d], {x[d], y[d]}});
  KernelSource source(call);
  source.constant("logarithm", op.log);
  begin_rows(source, r, {"x", "y"});
  source.body << exponentials_body << detail::softmax_body;
  return source.kernel(op.log ? "log_softmax" : "softmax", r.rows.size() * r.team, r.threads);
}

}  // namespace lamina::gpu
