/// The operations that only rename extents, where their result needs memory of its own.
#pragma once
#include "../../ops/reshape.hpp"
#include "rows.hpp"

namespace lamina::inline LAMINA_ISA::cpu {

/// Copies the elements in their order, whatever the extents and distances of items on both sides.
LAMINA_ONE_COPY inline void copy_elements(const Input& x, const Output& y) {
  const idx total = count(x.dims), from = x.contiguous() ? total : x.item_size(),
            to = y.contiguous() ? total : y.item_size();
  const idx x_step = x.contiguous() ? 0 : x.item_stride, y_step = y.contiguous() ? 0 : y.item_stride;
  for (idx i = 0; i < total;) {
    const idx run = min(from - i % from, to - i % to);
    copy_row(x.floats() + i / from * x_step + i % from, y.floats() + i / to * y_step + i % to, run);
    i += run;
  }
}

inline void run(const ops::Identity&, const Call& call) { copy_elements(call.in[0], call.out); }
inline void run(const ops::Flatten&, const Call& call) { copy_elements(call.in[0], call.out); }
inline void run(const ops::Unsqueeze&, const Call& call) { copy_elements(call.in[0], call.out); }
inline void run(const ops::Reshape&, const Call& call) { copy_elements(call.in[0], call.out); }

}  // namespace lamina::inline LAMINA_ISA::cpu
