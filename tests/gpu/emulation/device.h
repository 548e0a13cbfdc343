/// The CUDA C++ that kernels are written in, as words of the host's language: included before the source of every
/// kernel that NVRTC is asked to compile. The threads of a block run one after another, each until it waits for others;
/// launch.cpp then runs the next. It may not include much: it is compiled with every module.
#pragma once
#include "machine.hpp"
#include <math.h>
#include <string.h>
#include <type_traits>
#include <utility>
#include <vector_functions.h>
#include <vector_types.h>

#undef __global__
#undef __device__
#undef __host__
#undef __shared__
#undef __constant__
#undef __forceinline__
#undef __noinline__
#undef __launch_bounds__
#undef __align__
#define __global__
#define __device__
#define __host__
#define __constant__ static const
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(bytes) alignas(bytes)
/// Blocks run one after another, so that one copy is enough; all of it is in one section, to be filled with NaN before
/// each.
#define __shared__ static __attribute__((section("emulated_shared")))

namespace emulated {

template <class... Parameters, size_t... I>
void call(void (*kernel)(Parameters...), void* const* values, std::index_sequence<I...>) {
  kernel(*static_cast<Parameters*>(values[I])...);
}
template <class... Parameters> void call(void (*kernel)(Parameters...), void* const* values) {
  call(kernel, values, std::index_sequence_for<Parameters...>{});
}

template <class... Parameters> unsigned describe(void (*)(Parameters...), Parameter* result) {
  ((*result++ = {sizeof(Parameters), std::is_pointer_v<Parameters>,
                 !std::is_const_v<std::remove_pointer_t<Parameters>>}),
   ...);
  return sizeof...(Parameters);
}

}  // namespace emulated

extern "C" {
emulated::Machine emulated_machine;
/// Of the linker: where the section begins and ends, if there is one.
extern char __start_emulated_shared[] __attribute__((weak, visibility("hidden")));
extern char __stop_emulated_shared[] __attribute__((weak, visibility("hidden")));
void emulated_shared_memory(char** begin, char** end) {
  *begin = __start_emulated_shared;
  *end = __stop_emulated_shared;
}
}

#define threadIdx emulated_machine.thread
#define blockIdx emulated_machine.block
#define blockDim emulated_machine.block_extents
#define gridDim emulated_machine.grid_extents
#define warpSize 32

#define EMULATED_LINE unsigned line = __builtin_LINE()

inline void __syncthreads(EMULATED_LINE) { emulated_machine.wait_for_block(line); }
inline void __syncwarp(unsigned mask = ~0u, EMULATED_LINE) { emulated_machine.wait_for_warp(mask, line); }
inline void __threadfence() {}
inline void __threadfence_block() {}

namespace emulated {
inline int lane() {
  const dim3& extents = emulated_machine.block_extents;
  const uint3& at = emulated_machine.thread;
  return int((at.x + extents.x * (at.y + extents.y * at.z)) % 32);
}
template <class T> T exchange(unsigned mask, unsigned line, T mine, int from) {
  T result;
  emulated_machine.exchange(mask, line, &mine, &result, sizeof mine, from);
  return result;
}
}  // namespace emulated

template <class T> T __shfl_sync(unsigned mask, T value, int from, int width = 32, EMULATED_LINE) {
  const int lane = emulated::lane();
  return emulated::exchange(mask, line, value, lane / width * width + (from & (width - 1)));
}
template <class T> T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, EMULATED_LINE) {
  const int lane = emulated::lane(), from = lane ^ bits;
  return emulated::exchange(mask, line, value, from / width <= lane / width ? from : lane);
}
template <class T> T __shfl_down_sync(unsigned mask, T value, unsigned step, int width = 32, EMULATED_LINE) {
  const int lane = emulated::lane(), from = lane + int(step);
  return emulated::exchange(mask, line, value, from / width == lane / width ? from : lane);
}
template <class T> T __shfl_up_sync(unsigned mask, T value, unsigned step, int width = 32, EMULATED_LINE) {
  const int lane = emulated::lane(), from = lane - int(step);
  return emulated::exchange(mask, line, value, from >= lane / width * width ? from : lane);
}
inline unsigned __ballot_sync(unsigned mask, int value, EMULATED_LINE) {
  return emulated_machine.vote(mask, line, value != 0);
}
inline int __any_sync(unsigned mask, int value, EMULATED_LINE) {
  return emulated_machine.vote(mask, line, value != 0) != 0;
}
inline int __all_sync(unsigned mask, int value, EMULATED_LINE) {
  return emulated_machine.vote(mask, line, value == 0) == 0;
}

#undef EMULATED_LINE

template <class T> T atomicAdd(T* at, T value) {
  const T before = *at;
  *at = before + value;
  return before;
}
template <class T> T atomicMax(T* at, T value) {
  const T before = *at;
  if (value > before) *at = value;
  return before;
}
template <class T> T __ldg(const T* at) { return *at; }

namespace emulated {
template <class To, class From> To bits_as(From value) {
  To result;
  static_assert(sizeof result == sizeof value);
  memcpy(&result, &value, sizeof result);
  return result;
}
}  // namespace emulated
inline float __uint_as_float(unsigned bits) { return emulated::bits_as<float>(bits); }
inline float __int_as_float(int bits) { return emulated::bits_as<float>(bits); }
inline unsigned __float_as_uint(float value) { return emulated::bits_as<unsigned>(value); }
inline int __float_as_int(float value) { return emulated::bits_as<int>(value); }
inline int __float2int_rn(float value) { return int(rintf(value)); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __frcp_rn(float a) { return 1 / a; }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline float __expf(float a) { return expf(a); }
inline float __logf(float a) { return logf(a); }
inline float __saturatef(float a) { return a > 0 ? (a < 1 ? a : 1) : 0; }
inline float rsqrtf(float a) { return 1 / sqrtf(a); }
inline double rsqrt(double a) { return 1 / sqrt(a); }
inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned((unsigned long long)a * b >> 32); }
inline int __popc(unsigned bits) { return __builtin_popcount(bits); }
inline int __clz(int bits) { return bits == 0 ? 32 : __builtin_clz(unsigned(bits)); }

template <class A, class B> constexpr std::common_type_t<A, B> min(A a, B b) { return b < a ? b : a; }
template <class A, class B> constexpr std::common_type_t<A, B> max(A a, B b) { return a < b ? b : a; }
