/// Softmax and its logarithm.
#pragma once
#include "../../ops/softmax.hpp"
#include "math.hpp"
#include "rows.hpp"

namespace lamina::inline LAMINA_ISA::host {

/// The largest element is subtracted first: no exponential overflows, and the sum is at least 1.
inline void run(const ops::Softmax& op, const Call& call) {
  const Dims& dims = call.in[0].dims;
  const int axis = wrap_dim(op.dim, dims.rank);
  const idx outer = product(dims, 0, axis), size = dims[axis], inner = product(dims, axis + 1, dims.rank);
  constexpr idx chunk = 64;  // neighbours that are done together, so that memory is read along its rows
  float most[chunk];
  double sum[chunk];
  for (idx o = 0; o < outer; ++o)
    for (idx first = 0; first < inner; first += chunk) {
      const idx width = min(chunk, inner - first), start = o * size * inner + first;
      const float* x = call.in[0].floats() + start;
      float* y = call.out.floats() + start;
      for (idx j = 0; j < width; ++j) most[j] = -__builtin_inff(), sum[j] = 0;
      for (idx c = 0; c < size; ++c)
        for (idx j = 0; j < width; ++j) most[j] = x[c * inner + j] > most[j] ? x[c * inner + j] : most[j];
      for (idx c = 0; c < size; ++c)
        for (idx j = 0; j < width; ++j) {
          const float d = x[c * inner + j] - most[j], e = math::exp(d);
          sum[j] += double(e);
          y[c * inner + j] = op.log ? d : e;
        }
      for (idx j = 0; j < width; ++j) sum[j] = op.log ? math::log(sum[j]) : 1 / sum[j];
      for (idx c = 0; c < size; ++c)
        for (idx j = 0; j < width; ++j) {
          float& v = y[c * inner + j];
          v = op.log ? v - float(sum[j]) : v * float(sum[j]);
        }
    }
}

}  // namespace lamina::inline LAMINA_ISA::host
