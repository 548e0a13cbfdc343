/// What kernels do with rows: contiguous runs of floats. A row that is written may be one that is read, but must not overlap it
/// in part.
#pragma once
#include "call.hpp"
#include <cstring>

namespace lamina::inline LAMINA_ISA::cpu {

constexpr idx min(idx a, idx b) { return b < a ? b : a; }
constexpr idx max(idx a, idx b) { return a < b ? b : a; }
constexpr idx divide_up(idx a, idx b) { return (a + b - 1) / b; }

/// y = x
inline void copy_row(const float* x, float* y, idx n) {
  // An empty row may have no address, which memmove does not accept.
  if (n > 0 && x != y) std::memmove(y, x, std::size_t(n) * sizeof(float));
}

/// y = value
inline void fill_row(float value, float* y, idx n) {
  for (idx i = 0; i < n; ++i) y[i] = value;
}

/// A vector register, and the same at any address.
typedef float vector __attribute__((vector_size(4 * vector_floats)));
typedef float vector_in_memory __attribute__((vector_size(4 * vector_floats), aligned(4), may_alias));
inline vector load(const float* from) { return *reinterpret_cast<const vector_in_memory*>(from); }
inline void store(vector v, float* to) { *reinterpret_cast<vector_in_memory*>(to) = v; }

/// y = f(x), f for vectors and for floats. Written with vectors, because compilers must assume that x and y overlap.
template <class F> inline void map_row(const float* x, float* y, idx n, F f) {
  idx i = 0;
  for (; i + vector_floats <= n; i += vector_floats) store(f(load(x + i)), y + i);
  for (; i < n; ++i) y[i] = f(x[i]);
}

/// y = f(a, b), f for vectors and for floats.
template <class F> inline void map_rows(const float* a, const float* b, float* y, idx n, F f) {
  idx i = 0;
  for (; i + vector_floats <= n; i += vector_floats) store(f(load(a + i), load(b + i)), y + i);
  for (; i < n; ++i) y[i] = f(a[i], b[i]);
}

/// y = f(x), f for floats alone, as functions of the C library are.
template <class F> inline void map_each(const float* x, float* y, idx n, F f) {
  for (idx i = 0; i < n; ++i) y[i] = f(x[i]);
}

/// y += x
inline void add_row(const float* x, float* y, idx n) {
  map_rows(y, x, y, n, [](auto p, auto q) { return p + q; });
}

/// Sum of f(x[i]) in double precision. Eight sums side by side: vector code without reordering a sum behind the user's back.
template <class F> inline double sum_row(const float* x, idx n, F f) {
  double lane[8]{};
  idx i = 0;
  for (; i + 8 <= n; i += 8)
    for (int l = 0; l < 8; ++l) lane[l] += f(double(x[i + l]));
  for (; i < n; ++i) lane[0] += f(double(x[i]));
  return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}
LAMINA_ONE_COPY inline double sum_row(const float* x, idx n) {
  return sum_row(x, n, [](double v) { return v; });
}

}  // namespace lamina::inline LAMINA_ISA::cpu
