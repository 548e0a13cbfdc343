/// What a kernel gets. Eager evaluation and the plan both end in `run(operation, call)`, an overload set with one
/// function an operation.
#pragma once
#include "../../core/dtype.hpp"
#include "../../ops/activation.hpp"
#include "../../plan/layout.hpp"
#include "target.hpp"
#include <cstdint>

namespace lamina::inline LAMINA_ISA::host {

/// A tensor in memory as a kernel sees it. The elements of an item (an index of dimension 0) are contiguous, in the
/// order that the layout says; items lie `item_stride` elements apart, which is more than their size where a tensor is
/// part of a concatenation. Lanes of a blocked tensor behind its last channel hold anything: nobody reads them.
template <class Pointer> struct OperandOf {
  Pointer data = nullptr;
  Dims dims{};
  idx item_stride = 0;
  Dtype dtype = Dtype::float32;
  Layout layout = Layout::planar;

  constexpr idx items() const { return dims.rank == 0 ? 1 : dims[0]; }
  constexpr idx item_size() const { return item_elements(dims, layout); }
  constexpr bool contiguous() const { return items() == 1 || item_stride == item_size(); }
};

/// What a kernel reads.
struct Input : OperandOf<const void*> {
  const float* floats() const { return static_cast<const float*>(data); }
  const float* item(idx n) const { return floats() + n * item_stride; }
};

/// What a kernel writes.
struct Output : OperandOf<void*> {
  float* floats() const { return static_cast<float*>(data); }
  float* item(idx n) const { return floats() + n * item_stride; }
};

/// How a producer is computed (method.hpp).
enum class Method : unsigned char {
  plain,            ///< parameters as they are: operations without packed weights, linear layers on one or two rows
  direct,           ///< sums over taps and channels of a blocked input
  gathered,         ///< sums over a copy of a planar input, a few channels side by side, with its padding
  depthwise,        ///< one input channel an output channel
  winograd2,        ///< Winograd F(2x2, 3x3)
  winograd4,        ///< Winograd F(4x4, 3x3)
  plain_bfloat16,   ///< as plain, direct and gathered, with weights of bfloat16; the operands of the latter two are
  direct_bfloat16,  ///< bfloat16 too
  gathered_bfloat16,
};

/// The weights are bfloat16.
constexpr bool is_bfloat16(Method method) { return method >= Method::plain_bfloat16; }

/// Kernels of which code is made are named by a mask: a bit an operation type (run.hpp), one a method of producers, and
/// one for kernels on pairs of bfloat16.
constexpr std::uint64_t bit_of_method(Method method) { return std::uint64_t(1) << (32 + int(method)); }
inline constexpr std::uint64_t paired_kernels = std::uint64_t(1) << 63;
inline constexpr std::uint64_t all_kernels = ~std::uint64_t(0),
                               float_kernels = bit_of_method(Method::plain_bfloat16) - 1;
template <std::uint64_t Kernels, Method... Methods>
inline constexpr bool has_method = (Kernels & (bit_of_method(Methods) | ...)) != 0;

/// What is applied to a producer's result while it is at hand: y = activation(y + residual). The bias is part of the
/// producer, a batch norm of its packed weights. `residual` may be the output itself.
struct Epilogue {
  const Input* residual = nullptr;
  ops::Activation activation{};
};

/// Operands, parameters in the operation's order (a null `data` for an absent one; packed for producers), what is
/// fused, how it is computed, and memory of scratch_of(...) floats: shared, then each thread's.
struct Call {
  Output out{};
  const Input* in = nullptr;
  int inputs = 0;
  Input parameters[4]{};
  Epilogue epilogue{};
  Method method = Method::plain;
  float* scratch = nullptr;
  int threads = 1;

  constexpr bool paired() const { return in[0].layout == Layout::paired || out.layout == Layout::paired; }
};

}  // namespace lamina::inline LAMINA_ISA::host
