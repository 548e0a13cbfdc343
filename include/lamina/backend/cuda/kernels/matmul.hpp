/// Matrix product of two values.
#pragma once
#include "product.hpp"

namespace lamina::gpu {

[[gnu::noinline]] inline Kernel make_kernel(const ops::Matmul& op, const KernelCall& call) {
  const KernelTensor &a = call.operands[0], &b = call.operands[1], &y = call.out;
  const int m = y.dims.rank - 2, n = y.dims.rank - 1;
  const int am = a.dims.rank - 2, bm = b.dims.rank - 2;
  const Strides from_a = strides_of(a), from_b = strides_of(b), to = strides_of(y);
  const Strides batch_a = broadcast_strides(a, y.dims), batch_b = broadcast_strides(b, y.dims);
  Axes batch(3);
  for (int d = 0; d < m; ++d) batch.add({y.dims[d], {batch_a[d], batch_b[d], to[d]}});
  batch.order_by(2);
  batch.merge();

  const Product product{.groups = batch.size(),
                        .rows = y.dims[m],
                        .columns = y.dims[n],
                        .depth = a.dims[am + 1],
                        .left_along_depth = from_a[am + 1] == 1,
                        .right_along_depth = from_b[bm + 1] != 1,
                        .result_along_columns = to[n] == 1};
  Source source(call);
  declare_product(source, product);
  const auto declare = [&](std::string head, int tensor, std::string row, idx row_step, std::string column,
                           idx column_step) {
    source.text(head + batch.offset(tensor, "group") + " + " + row + " * " + std::to_string(row_step) + " + " + column +
                " * " + std::to_string(column_step));
  };
  declare("__device__ inline float left(const X0* x, index group, index row, index d) { return to<float>(x[", 0, "row",
          from_a[am], "d", from_a[am + 1]);
  source.text("]); }\n");
  declare("__device__ inline float right(const X1* x, index group, index d, index column) { return to<float>(x[", 1,
          "d", from_b[bm], "column", from_b[bm + 1]);
  source.text("]); }\n");
  declare("__device__ inline index result(index group, index row, index column) { return ", 2, "row", to[m], "column",
          to[n]);
  source.text("; }\n");
  return multiply(op.name, source, product, "x1");
}

}  // namespace lamina::gpu
