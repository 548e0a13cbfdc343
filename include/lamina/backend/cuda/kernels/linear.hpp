/// Fully connected layer.
#pragma once
#include "product.hpp"

namespace lamina::gpu {

/// Parameters: weight [out, in], bias.
[[gnu::cold]] inline Kernel make_kernel(const ops::Linear& op, const KernelCall& call) {
  const KernelTensor &x = call.operands[0], &y = call.out;
  const int last = x.dims.rank - 1;
  const Strides from = strides_of(x), to = strides_of(y);
  Axes rows(2);
  for (int d = 0; d < last; ++d) rows.add({x.dims[d], {from[d], to[d]}});
  rows.order_by(1);
  rows.merge();

  const Product product{.rows = rows.size(),
                        .columns = op.out_features,
                        .depth = op.in_features,
                        .left_along_depth = from[last] == 1,
                        .result_along_columns = to[last] == 1};
  KernelSource source(call);
  declare_product(source, product);
  source.function("row_of_x", "row", rows.offset(0, "row"));
  source.function("row_of_y", "row", rows.offset(1, "row"));
  source.constant("feature_of_x", from[last]);
  source.constant("feature_of_y", to[last]);
  source.head << R"(__device__ inline float left(const X0* x, index, index row, index d) {
  return to<float>(x[row_of_x(row) + d * feature_of_x]);
}
__device__ inline float right(const Weight* weight, index, index d, index column) {
  return to<float>(weight[column * depth + d]);
}
__device__ inline index result(index, index row, index column) { return row_of_y(row) + column * feature_of_y; }
)";
  return multiply(op.name, source, product, "weight");
}

}  // namespace lamina::gpu
