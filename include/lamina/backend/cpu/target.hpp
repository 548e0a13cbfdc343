/// The instruction set decides code from the plan down. All of it lives in an inline namespace named after the
/// instruction set, so that objects compiled with different flags link into one program without sharing symbols.
#pragma once

#if defined(__AVX512F__)
#define LAMINA_ISA avx512
#define LAMINA_VECTOR_FLOATS 16
#elif defined(__AVX2__) && defined(__FMA__)
#define LAMINA_ISA avx2
#define LAMINA_VECTOR_FLOATS 8
#elif defined(__ARM_NEON)
#define LAMINA_ISA neon
#define LAMINA_VECTOR_FLOATS 4
#else
#define LAMINA_ISA sse
#define LAMINA_VECTOR_FLOATS 4
#endif

// LAMINA_UNROLL unrolls the next loop, whose count is a constant: an array indexed by it then lives in registers.
// LAMINA_ONE_COPY keeps a large function from being inlined into, or specialised for, each of its callers.
#if defined(__clang__)
#define LAMINA_UNROLL _Pragma("clang loop unroll(full)")
#define LAMINA_ONE_COPY [[gnu::noinline]]
#else
#define LAMINA_UNROLL _Pragma("GCC unroll 64")
#define LAMINA_ONE_COPY [[gnu::noinline, gnu::noclone]]
#endif

// LAMINA_DOT_PAIRS(sum, x, w) adds the products of pairs of bfloat16 to the floats of `sum`, where there is an
// instruction for it. (The intrinsics take other types in every compiler and version.)
#if defined(__AVX512BF16__) && LAMINA_VECTOR_FLOATS == 16
#define LAMINA_DOT_PAIRS(sum, x, w) asm("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(x), "v"(w))
#endif

namespace lamina::inline LAMINA_ISA::host {

/// Floats in a vector register.
inline constexpr int vector_floats = LAMINA_VECTOR_FLOATS;

/// The register tile of the micro-kernel: so many output pixels by `group_blocks` blocks of 16 output channels. Sums,
/// the weights of one input channel and a broadcast element fill the register file. The small tile is for what is left
/// over at the end.
struct RegisterTile {
  int pixels, small, group_blocks;
};
inline constexpr RegisterTile register_tile = vector_floats == 16  ? RegisterTile{8, 4, 2}
                                              : vector_floats == 8 ? RegisterTile{6, 4, 1}
#if defined(__ARM_NEON)
                                                                   : RegisterTile{6, 3, 1};
#else
                                                                   : RegisterTile{3, 2, 1};
#endif

/// Output channels that a call of the micro-kernel computes.
inline constexpr int group_channels = register_tile.group_blocks * 16;

}  // namespace lamina::inline LAMINA_ISA::host
