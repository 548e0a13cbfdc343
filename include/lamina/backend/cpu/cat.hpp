/// Concatenation.
#pragma once
#include "../../ops/cat.hpp"
#include "planes.hpp"

namespace lamina::inline LAMINA_ISA::host {

/// An operand that lies in its place already, because its producer wrote it there, is not copied.
/// Of blocked operands, which are joined along the channels or the items, all but the last have whole blocks.
inline void run(const ops::Cat& op, const Call& call) {
  const Dims dims = as_planar(call.out).dims;
  const int axis = wrap_dim(op.dim, dims.rank);
  idx done = 0;  // along the axis
  for (int k = 0; k < call.inputs; ++k) {
    const Input x = as_planar(call.in[k]);
    if (axis == 0)
      for (idx n = 0; n < x.items(); ++n) copy_row(x.item(n), call.out.item(done + n), x.item_size());
    else {
      const idx outer = product(dims, 1, axis), inner = product(dims, axis + 1, dims.rank), run = x.dims[axis] * inner;
      for (idx n = 0; n < x.items(); ++n)
        for (idx i = 0; i < outer; ++i)
          copy_row(x.item(n) + i * run, call.out.item(n) + (i * dims[axis] + done) * inner, run);
    }
    done += x.dims[axis];
  }
}

}  // namespace lamina::inline LAMINA_ISA::host
