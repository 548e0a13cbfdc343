/// Matrix product of two values.
#pragma once
#include "product.hpp"

namespace lamina::gpu {

[[gnu::cold]] inline Kernel make_kernel(const ops::Matmul& op, const KernelCall& call) {
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
  KernelSource source(call);
  declare_product(source, product);
  source.head
      << "__device__ inline float left(const X0* x, index group, index row, index d) {\n  return to<float>(x["
      << batch.offset(0, "group") << " + row * " << from_a[am] << " + d * " << from_a[am + 1] << "]);\n}\n"
      << "__device__ inline float right(const X1* x, index group, index d, index column) {\n  return to<float>(x["
      << batch.offset(1, "group") << " + d * " << from_b[bm] << " + column * " << from_b[bm + 1] << "]);\n}\n"
      << "__device__ inline index result(index group, index row, index column) {\n  return " << batch.offset(2, "group")
      << " + row * " << to[m] << " + column * " << to[n] << ";\n}\n";
  return multiply(op.name, source, product, "x1");
}

}  // namespace lamina::gpu
