/// The functions of <cmath> that kernels call, as the compiler has them. <cmath> itself brings the special functions of
/// mathematics along: 10 MB of every program with g++.
#pragma once
#include "target.hpp"

namespace lamina::inline LAMINA_ISA::host::math {

inline float exp(float x) { return __builtin_expf(x); }
inline double exp(double x) { return __builtin_exp(x); }
inline double log(double x) { return __builtin_log(x); }
inline double log1p(double x) { return __builtin_log1p(x); }
inline float tanh(float x) { return __builtin_tanhf(x); }
inline float erf(float x) { return __builtin_erff(x); }
inline float floor(float x) { return __builtin_floorf(x); }
inline double abs(double x) { return __builtin_fabs(x); }
inline double sqrt(double x) { return __builtin_sqrt(x); }

}  // namespace lamina::inline LAMINA_ISA::host::math
