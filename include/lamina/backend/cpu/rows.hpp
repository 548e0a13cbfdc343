/// What kernels do with rows: contiguous runs of floats. A row that is written may be one that is read, but must not
/// overlap it in part.
#pragma once
#include "call.hpp"
#include <cstring>

namespace lamina::inline LAMINA_ISA::host {

constexpr idx min(idx a, idx b) { return b < a ? b : a; }
constexpr idx max(idx a, idx b) { return a < b ? b : a; }
constexpr idx divide_up(idx a, idx b) { return (a + b - 1) / b; }

/// y = x
inline void copy_row(const float* x, float* y, idx n) {
  // An empty row may have no address, which memmove does not accept.
  if (n > 0 && x != y) std::memmove(y, x, std::size_t(n) * sizeof(float));
}

/// y[i * y_step] = x[i * x_step], of any two types; they do not overlap.
template <class From, class To> LAMINA_ONE_COPY void copy_strided(const From* x, idx x_step, To* y, idx y_step, idx n) {
  for (idx i = 0; i < n; ++i) y[i * y_step] = To(x[i * x_step]);
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

/// The first n elements of a vector, 0 < n. Loading repeats the last one, so that no lane computes anything that was
/// not asked for.
LAMINA_ONE_COPY inline vector load_part(const float* from, idx n) {
  vector v{};
  for (int l = 0; l < vector_floats; ++l) v[l] = from[l < n ? l : n - 1];
  return v;
}
LAMINA_ONE_COPY inline void store_part(vector v, float* to, idx n) {
  for (int l = 0; l < n; ++l) to[l] = v[l];
}

/// y = f(x), f for vectors. Compilers must assume that x and y overlap, and would write this loop in two versions.
template <class F> inline void map_row(const float* x, float* y, idx n, F f) {
  idx i = 0;
  for (; i + vector_floats <= n; i += vector_floats) store(f(load(x + i)), y + i);
  if (i < n) store_part(f(load_part(x + i, n - i)), y + i, n - i);
}

/// y = f(a, b), f for vectors.
template <class F> inline void map_rows(const float* a, const float* b, float* y, idx n, F f) {
  idx i = 0;
  for (; i + vector_floats <= n; i += vector_floats) store(f(load(a + i), load(b + i)), y + i);
  if (i < n) store_part(f(load_part(a + i, n - i), load_part(b + i, n - i)), y + i, n - i);
}

/// y = f(x), f for floats, as functions of the C library are.
template <class F> inline void map_each(const float* x, float* y, idx n, F f) {
  for (idx i = 0; i < n; ++i) y[i] = f(x[i]);
}

/// y += x
inline void add_row(const float* x, float* y, idx n) {
  map_rows(y, x, y, n, [](vector p, vector q) { return p + q; });
}

/// Sum of f(x[i]) in double precision. Eight sums side by side: vector code without reordering a sum behind the user's
/// back.
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

}  // namespace lamina::inline LAMINA_ISA::host
