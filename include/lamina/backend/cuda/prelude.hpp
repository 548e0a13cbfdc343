/// What kernels share, as CUDA C++: it stands once before all of a module. Elements are loaded as float32, whatever they
/// are in memory, and rounded when they are stored.
#pragma once
#include <string_view>

namespace lamina::gpu {

inline constexpr std::string_view prelude = R"(namespace lamina {

struct float16 { unsigned short bits; };
struct bfloat16 { unsigned short bits; };

template <class A, class B> constexpr bool same = false;
template <class A> constexpr bool same<A, A> = true;
template <class T> constexpr bool is_half = same<T, float16> || same<T, bfloat16>;

#ifdef __CUDA_ARCH__
__device__ inline float to_float(float16 h) {
  float value;
  asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(h.bits));
  return value;
}
__device__ inline void round_to(float16& h, float value) { asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h.bits) : "f"(value)); }
__device__ inline void round_to(bfloat16& b, float value) {
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(b.bits) : "f"(value));
}
#else  // another processor: the same in integers
inline unsigned bits_of(float value) { return __builtin_bit_cast(unsigned, value); }
inline float from_bits(unsigned bits) { return __builtin_bit_cast(float, bits); }
inline float to_float(float16 h) {
  const unsigned magnitude = h.bits & 0x7fffu, sign = (h.bits & 0x8000u) << 16;
  const float value = magnitude < 0x7c00 ? from_bits(magnitude << 13) * 0x1p112f : from_bits(0x7f800000u | magnitude << 13);
  return from_bits(bits_of(value) | sign);
}
inline void round_to(float16& h, float value) {
  const unsigned bits = bits_of(value), magnitude = bits & 0x7fffffffu;
  unsigned rounded = (magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1)) >> 13;
  if (magnitude < 0x38800000u) rounded = bits_of(from_bits(magnitude) + 0.5f) - 0x3f000000u;  // subnormal
  if (magnitude >= 0x477ff000u) rounded = 0x7c00;
  if (magnitude > 0x7f800000u) rounded = 0x7e00;
  h.bits = static_cast<unsigned short>(rounded | (bits >> 16 & 0x8000u));
}
inline void round_to(bfloat16& b, float value) {
  const unsigned bits = bits_of(value), rounded = (bits + 0x7fffu + (bits >> 16 & 1)) >> 16;
  b.bits = static_cast<unsigned short>(value != value ? 0x7fc0u : rounded);
}
#endif
__device__ inline float to_float(bfloat16 b) { return __builtin_bit_cast(float, static_cast<unsigned>(b.bits) << 16); }

// An element as another type. Truth is what is not zero; a float loses its fraction on the way to an integer.
template <class To, class From> __device__ inline To to(From v) {
  if constexpr (same<To, From>) return v;
  else if constexpr (is_half<From>) return to<To>(to_float(v));
  else if constexpr (is_half<To>) {
    To rounded;
    round_to(rounded, static_cast<float>(v));
    return rounded;
  } else if constexpr (same<To, bool>) return v != 0;
  else if constexpr (same<From, float>) return static_cast<To>(static_cast<long long>(v));
  else return static_cast<To>(v);
}

// Neighbours, moved by one instruction where their address allows it.
template <class T, int N> struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) Pack { T at[N]; };
template <class T, int N> __device__ inline bool is_aligned(const T* p) {
  return N > 1 && reinterpret_cast<unsigned long long>(p) % alignof(Pack<T, N>) == 0;
}
template <class Value, int N, class T> __device__ inline void load(const T* from, Value (&v)[N]) {
  if (is_aligned<T, N>(from)) {
    const Pack<T, N> pack = *reinterpret_cast<const Pack<T, N>*>(from);
#pragma unroll
    for (int k = 0; k < N; ++k) v[k] = to<Value>(pack.at[k]);
  } else {
#pragma unroll
    for (int k = 0; k < N; ++k) v[k] = to<Value>(from[k]);
  }
}
template <class Value, int N, class T> __device__ inline void store(T* into, const Value (&v)[N]) {
  if (is_aligned<T, N>(into)) {
    Pack<T, N> pack;
#pragma unroll
    for (int k = 0; k < N; ++k) pack.at[k] = to<T>(v[k]);
    *reinterpret_cast<Pack<T, N>*>(into) = pack;
  } else {
#pragma unroll
    for (int k = 0; k < N; ++k) into[k] = to<T>(v[k]);
  }
}
template <class Value, int N> __device__ inline void fill(Value value, Value (&v)[N]) {
#pragma unroll
  for (int k = 0; k < N; ++k) v[k] = value;
}
// A parameter of neighbours: its own for each, one for all, or `absent` where there is none.
template <int N, class Index>
__device__ inline void load_parameter(const float* from, Index at, bool own, float absent, float (&v)[N]) {
  if (!from) fill(absent, v);
  else if (own) load(from + at, v);
  else fill(from[at], v);
}

// The position of an element of an image.
template <class Index> struct Position { Index n, c, h, w; };

// Activations. NaN passes through each.
__device__ inline float relu(float v) { return v < 0 ? 0 : v; }
__device__ inline float leaky_relu(float v, float slope) { return v > 0 ? v : slope * v; }
__device__ inline float sigmoid(float v) { return 1 / (1 + expf(-v)); }
__device__ inline float gelu(float v) { return 0.5f * v * (1 + erff(v * 0.70710678118654752f)); }
// (1 + tanh(u)) / 2 = 1 / (1 + exp(-2 u)), which does not cancel where v is negative
__device__ inline float gelu_tanh(float v) {
  return v / (1 + expf(-1.5957691216057307f * (v + 0.044715f * v * v * v)));
}
__device__ inline float silu(float v) { return v / (1 + expf(-v)); }

constexpr float infinity = __builtin_bit_cast(float, 0x7f800000u), not_a_number = __builtin_bit_cast(float, 0x7fc00000u);
struct Sum {
  __device__ float operator()(float a, float b) const { return a + b; }
};
struct Most {
  __device__ float operator()(float a, float b) const { return b > a ? b : a; }
};

// f over the values of a team: a thread, a warp, or the threads of a block. All of them get the result.
template <int Team, class F> static __device__ float combine(float v, F f) {
  if constexpr (Team > 1) {
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2) v = f(v, __shfl_xor_sync(0xffffffffu, v, distance));
  }
  if constexpr (Team > 32) {
    __shared__ float parts[Team / 32];
    __syncthreads();  // the parts of the call before are read
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = v;
    __syncthreads();
    v = parts[0];
    for (int warp = 1; warp < Team / 32; ++warp) v = f(v, parts[warp]);
  }
  return v;
}

}  // namespace lamina
)";

}  // namespace lamina::gpu
