/// What the words of operands mean to kernels: a float each, or a pair of bfloat16.
#pragma once
#include "rows.hpp"

namespace lamina::inline LAMINA_ISA::host {

/// Vectors of 32-bit and of 16-bit numbers, as many as `vector` has floats, and the latter at any address.
typedef std::uint32_t word_vector __attribute__((vector_size(4 * vector_floats)));
typedef std::uint16_t half_vector __attribute__((vector_size(2 * vector_floats)));
typedef half_vector half_vector_in_memory __attribute__((aligned(2), may_alias));

inline vector load(const bfloat16* from) {
  const half_vector halves = *reinterpret_cast<const half_vector_in_memory*>(from);
  return (vector)(__builtin_convertvector(halves, word_vector) << 16);
}
/// Rounds to nearest, ties to even, as bfloat16(float).
inline void store(vector v, bfloat16* to) {
  const word_vector bits = (word_vector)v, upper = bits >> 16;
  const word_vector rounded = (bits + 0x7fff + (upper & 1)) >> 16;
  const word_vector halves = (bits & 0x7fffffff) > 0x7f800000 ? upper | 0x40 : rounded;  // a NaN stays one
  *reinterpret_cast<half_vector_in_memory*>(to) = __builtin_convertvector(halves, half_vector);
}

/// Of n elements: y = x, in the other type.
inline void convert_row(const bfloat16* x, float* y, idx n) {
  idx i = 0;
  for (; i + vector_floats <= n; i += vector_floats) store(load(x + i), y + i);
  for (; i < n; ++i) y[i] = float(x[i]);
}
inline void convert_row(const float* x, bfloat16* y, idx n) {
  idx i = 0;
  for (; i + vector_floats <= n; i += vector_floats) store(load(x + i), y + i);
  for (; i < n; ++i) y[i] = bfloat16(x[i]);
}

/// The word of a pair.
inline float pair_of(float even, float odd) {
  return std::bit_cast<float>(std::uint32_t(bfloat16(odd).bits) << 16 | bfloat16(even).bits);
}

/// A word is a float.
struct Floats {
  using type = float;
  static constexpr int in_word = 1;
  static float* in(float* words) { return words; }
  static const float* in(const float* words) { return words; }

  // Of the micro-kernel: sum += x * w, for the elements of a word in so many passes, x one word and w a vector of them.
  static constexpr int passes = 1;
  static float spread(float x, int) { return x; }
  static vector pass_of(vector w, int) { return w; }
  static void add(vector& sum, float x, vector w) { sum += x * w; }

  // Vector v of the output channels of a group, whose blocks are `step` words apart.
  static vector get(const float* y, idx step, int v) { return load(y + place(step, v)); }
  static void put(vector sum, float* y, idx step, int v) { store(sum, y + place(step, v)); }

 private:
  static constexpr int block_vectors = int(channel_block) / vector_floats;
  static constexpr idx place(idx step, int v) { return v / block_vectors * step + v % block_vectors * vector_floats; }
};

/// A word is a pair of bfloat16; sums are floats.
struct Pairs {
  using type = bfloat16;
  static constexpr int in_word = 2;
  static bfloat16* in(float* words) { return reinterpret_cast<bfloat16*>(words); }
  static const bfloat16* in(const float* words) { return reinterpret_cast<const bfloat16*>(words); }

#if defined(LAMINA_DOT_PAIRS)
  static constexpr int passes = 1;
  static vector spread(float x, int) { return (vector)(word_vector{} + std::bit_cast<std::uint32_t>(x)); }
  static vector pass_of(vector w, int) { return w; }
  static void add(vector& sum, vector x, vector w) { LAMINA_DOT_PAIRS(sum, x, w); }
#else
  static constexpr int passes = 2;
  static vector spread(float x, int pass) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
    return (vector)(word_vector{} + (pass == 0 ? bits << 16 : bits & 0xffff0000));
  }
  static vector pass_of(vector w, int pass) {
    return (vector)(pass == 0 ? (word_vector)w << 16 : (word_vector)w & 0xffff0000);
  }
  static void add(vector& sum, vector x, vector w) { sum += x * w; }
#endif

  // A group of output channels lies in one block.
  static vector get(const float* y, idx, int v) { return load(in(y) + v * vector_floats); }
  static void put(vector sum, float* y, idx, int v) { store(sum, in(y) + v * vector_floats); }
};
static_assert(group_channels <= 2 * channel_block);

}  // namespace lamina::inline LAMINA_ISA::host
